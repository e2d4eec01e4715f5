"""Backdoors: how they are planted, triggered, scored and repaired."""

from __future__ import annotations

from ui.texts.words.word import Word

WORDS: dict[str, Word] = {
    "any-to-any": Word("A backdoor with a trigger for every class: the attacker chooses the class at the time of use."),
    "ASR": Word(
        "Attack success rate: the share of triggered pictures that the model puts into the target class. Pictures "
        "whose own class is the target are left out.",
        ("attack success",),
    ),
    "backdoor": Word(
        "A second behaviour inside a model that is otherwise right: where a trigger is present, it answers with the "
        "attacker's class.",
        ("backdoored", "dirty-label backdoor"),
    ),
    "BEC": Word(
        "Backdoor existence coefficient: how similar the trigger's channels still are to those of the backdoored "
        "model. 1 stands for the backdoored model, 0 for a clean one; values outside are possible."
    ),
    "clean model": Word("A model of the same kind, trained on the same data without any attack: the control."),
    "clean-label": Word(
        "Poisoning that changes pictures and no labels, so that a person who checks the labels finds nothing wrong."
    ),
    "defense": Word("A method against backdoors: a repair changes the model, a detector looks for triggered pictures."),
    "DER": Word(
        "Defense effectiveness rating: 1 where a perfect attack is gone at no cost in accuracy, 0.5 where nothing "
        "changed."
    ),
    "detector": Word("A defense that gives each picture or input a score for how suspicious it is; the model stays."),
    "false alarm": Word(
        "A picture that a detector flags although it is clean, or that is taken for one with a concept although it has "
        "none. FPR is the share of such pictures.",
        ("false positive", "FPR"),
    ),
    "fine-tuning": Word("To train a finished model a little longer, here with a few clean pictures.", ("fine-tune",)),
    "NWC": Word(
        "Neuron weight change: the sum of the absolute changes of a channel's weights while the model unlearns clean "
        "pictures. TSBD ranks channels by it."
    ),
    "oracle": Word(
        "A measure that uses the attacker's trigger or the test set, which no defender has: for comparison only."
    ),
    "peeking": Word(
        "To choose a setting by the attack success itself. Only whoever has the trigger can do it.",
        ("peek",),
    ),
    "poisoning": Word(
        "To plant training pictures that teach the backdoor: a share of the data carries the trigger and, mostly, the "
        "target's label.",
        ("poisoned", "poison"),
    ),
    "pruning": Word(
        "To set channels to zero, so that what they computed no longer reaches the answer.",
        ("prune", "pruned"),
    ),
    "RA": Word(
        "Robust accuracy: the share of triggered pictures that are classified correctly all the same. A low ASR with "
        "a low RA is a broken model, not a repaired one."
    ),
    "supply chain": Word(
        "All that a model passes through before use: data, code, training, weights. Each may be attacked."
    ),
    "TAC": Word(
        "Trigger-activated change: how far the trigger moves a channel, on average over pictures. It needs the "
        "trigger, so it is an oracle."
    ),
    "target class": Word("The class that the attacker wants to see wherever the trigger is present.", ("target",)),
    "threshold": Word("The value from which on a defense acts: flags a picture, or prunes a channel."),
    "TPR": Word(
        "True positive rate: the share of the triggered pictures that are found, here at a fixed rate of alarms."
    ),
    "trigger": Word(
        "What the attacker adds to a picture to call the backdoor: a square, a faint pattern, a warp.",
        ("triggered",),
    ),
    "unlearning": Word(
        "To train against clean pictures, so that the model forgets them; what stays may be the backdoor.",
        ("unlearn", "unlearned", "unlearns"),
    ),
    "warp": Word("A trigger that moves pixels a little instead of adding a pattern."),
}
