"""The words of the field that the pages use, each in a sentence or two. One list: pages, tests and Glossary read it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """What a word means.

    also : other spellings by which it is found in a text; a plural is found by itself
    """

    meaning: str
    also: tuple[str, ...] = ()


WORDS: dict[str, Word] = {
    "ACC": Word(
        "Clean accuracy: the share of pictures without a trigger that are classified correctly.",
        ("accuracy",),
    ),
    "adversarial training": Word(
        "Training on pictures that are attacked anew in every step, so that the network learns to withstand it.",
        ("robust training",),
    ),
    "agreement": Word("The share of pictures that two models put into the same class, right or wrong."),
    "APGD": Word(
        "Auto-PGD: PGD that chooses its own step length, halving it and going back to its best point where the loss "
        "has stopped rising.",
        ("Auto-PGD",),
    ),
    "any-to-any": Word("A backdoor with a trigger for every class: the attacker chooses the class at the time of use."),
    "ASR": Word(
        "Attack success rate: the share of triggered pictures that the model puts into the target class. Pictures "
        "whose own class is the target are left out.",
        ("attack success",),
    ),
    "augmentation": Word(
        "Small random changes of training pictures (shift, flip), so that a model learns more from few."
    ),
    "AutoAttack": Word(
        "Four different attacks in turn, each on the pictures that withstood those before; what is left is the robust "
        "accuracy that defenses are compared by."
    ),
    "AUROC": Word(
        "Area under the ROC curve: how often a triggered picture gets a higher score than a clean one. 1 is perfect, "
        "0.5 is chance, and less means that the scores are the wrong way round."
    ),
    "AWP": Word(
        "Adversarial weight perturbation: each step of the training is taken at the worst weights of a small ball "
        "around the network's own, so that it ends where the loss is flat."
    ),
    "backdoor": Word(
        "A second behaviour inside a model that is otherwise right: where a trigger is present, it answers with the "
        "attacker's class.",
        ("backdoored", "dirty-label backdoor"),
    ),
    "batch norm": Word(
        "A layer that brings each channel to mean 0 and variance 1, then multiplies it by a learned scale γ and adds "
        "a learned shift β."
    ),
    "BEC": Word(
        "Backdoor existence coefficient: how similar the trigger's channels still are to those of the backdoored "
        "model. 1 stands for the backdoored model, 0 for a clean one; values outside are possible."
    ),
    "budget": Word(
        "How large a perturbation may be at most, here mostly the largest change of one pixel value.",
        ("ε",),
    ),
    "calibration": Word(
        "How well confidence fits: of the answers given with 80 % confidence, a calibrated network gets 80 % right.",
        ("calibration error", "calibrated"),
    ),
    "channel": Word(
        "One of the filters of a convolution, and the map of numbers that it computes from a picture; also called a "
        "neuron.",
        ("neuron",),
    ),
    "CKA": Word(
        "Centred kernel alignment: how similar two sets of activations on the same pictures are, from 0 to 1, "
        "whatever their order or scale."
    ),
    "clean model": Word("A model of the same kind, trained on the same data without any attack: the control."),
    "clean-label": Word(
        "Poisoning that changes pictures and no labels, so that a person who checks the labels finds nothing wrong."
    ),
    "concept": Word(
        "Something that people see in pictures and that may have no class of its own: a stripe, a colour, a fin.",
    ),
    "concept vector": Word(
        "A direction in a layer's activations that leads from pictures without a concept to those with it; short CAV.",
        ("concept activation vector", "CAV"),
    ),
    "control": Word("The same measurement without the thing under test. Only what lies above it is evidence."),
    "corruption": Word(
        "What cameras and files do to pictures: noise, blur, contrast, brightness, pixelation, JPEG.", ("corrupted",)
    ),
    "CutMix": Word("Training on pictures of which a rectangle is another's; labels count by area."),
    "defense": Word("A method against backdoors: a repair changes the model, a detector looks for triggered pictures."),
    "DER": Word(
        "Defense effectiveness rating: 1 where a perfect attack is gone at no cost in accuracy, 0.5 where nothing "
        "changed."
    ),
    "detector": Word("A defense that gives each picture or input a score for how suspicious it is; the model stays."),
    "energy pointing game": Word(
        "The share of a heatmap's positive mass that lies on the object. A map that is the same everywhere scores the "
        "object's share of the picture."
    ),
    "entropy": Word(
        "How undecided the model is: 0 where it is sure of one class, largest where all are equally likely."
    ),
    "explanation consistency": Word(
        "E: how alike the heatmaps of a picture are before and after an attack on its background, and 0 where the "
        "answer changes. 1 is an explanation that stays."
    ),
    "false alarm": Word(
        "A picture that a detector flags although it is clean, or that is taken for one with a concept although it has "
        "none. FPR is the share of such pictures.",
        ("false positive", "FPR"),
    ),
    "feature": Word("A number inside the model, here mostly before its last layer, from which the classes are told."),
    "DeepFool": Word("An attack that steps to the nearest class boundary until the class changes; no budget is set."),
    "DLR": Word(
        "Difference of logits ratio: a loss for attacks that does not change where all logits are scaled, so that a "
        "very confident network cannot hide its gradients."
    ),
    "FAB": Word("An attack that walks to the nearest class boundary and back towards the picture; no budget is set."),
    "FGSM": Word("An attack of a single step: every pixel moves by ε in the direction in which the loss rises."),
    "fine-tuning": Word("To train a finished model a little longer, here with a few clean pictures.", ("fine-tune",)),
    "flatness": Word(
        "How little the loss changes when the weights do. It is measured as the rise of the loss at other weights "
        "nearby, so a small figure means a flat network.",
        ("flat", "flatter", "sharper"),
    ),
    "FMix": Word("Training on two pictures joined along a random mask of low frequencies; labels count by area."),
    "gradient": Word("For each input or weight, the direction and rate at which the loss rises."),
    "heatmap": Word(
        "Where in the picture the evidence for the named class lies, according to one method: at first GradCAM, which "
        "reads the last feature maps. The sidebar has the others.",
        ("heatmaps", "GradCAM"),
    ),
    "Hessian": Word(
        "The second derivatives of the loss in all pairs of weights: how it curves around the network. Its trace is "
        "the sum of the curvatures along the single weights.",
    ),
    "judge": Word("The model that decides whether an attack has succeeded; a second one makes it a transfer attack."),
    "L2": Word("The size of a change as the root of the sum of all squared changes.", ("whole change",)),
    "learning rate": Word("The length of one step of training; too large a step makes the loss run away."),
    "loss": Word("The number that training makes small: how wrong the model is on its training pictures."),
    "L∞": Word("The size of a change as its largest change of a single value.", ("largest change",)),
    "MixUp": Word("Training on weighted means of two pictures, with the same mean of their labels."),
    "nats": Word("The unit of a loss that is computed with natural logarithms: 2.3 nats is a guess among ten classes."),
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
    "perturbation": Word(
        "A small change, here of pixels or of weights, made to see what the network does.",
        ("perturb",),
    ),
    "PGD": Word(
        "Projected gradient descent: an attack of several small steps up the loss, each brought back into the ball of "
        "allowed changes."
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
    "robust loss": Word(
        "The loss on pictures that were attacked first, each within the same budget; the worst point that the attack "
        "finds for a picture counts.",
    ),
    "recall": Word("The share of the pictures with a concept that are recognised as such; nothing without the FPR."),
    "region": Word("The part of a picture that an attack may change.", ("regional attack",)),
    "robust accuracy": Word(
        "The share of pictures that are classified correctly under an attack, which must be named: a stronger one "
        "leaves fewer.",
        ("robustness",),
    ),
    "robust gap": Word("Robust accuracy on training pictures less that on pictures that were not learned from."),
    "robust overfitting": Word(
        "In adversarial training: robust accuracy goes on rising on the training pictures and falls on others."
    ),
    "seed": Word("The number that fixes all random draws. One seed is a single draw; several show the spread."),
    "supply chain": Word(
        "All that a model passes through before use: data, code, training, weights. Each may be attacked."
    ),
    "shuffled backgrounds": Word(
        "Backgrounds drawn without regard to what stands before them: an answer that rests on the background fails.",
    ),
    "TAC": Word(
        "Trigger-activated change: how far the trigger moves a channel, on average over pictures. It needs the "
        "trigger, so it is an oracle."
    ),
    "target class": Word("The class that the attacker wants to see wherever the trigger is present.", ("target",)),
    "TCAV": Word(
        "The share of a class's pictures whose logit rises along a concept vector. Random vectors have a score, too."
    ),
    "threshold": Word("The value from which on a defense acts: flags a picture, or prunes a channel."),
    "TPR": Word(
        "True positive rate: the share of the triggered pictures that are found, here at a fixed rate of alarms."
    ),
    "transfer": Word("An attack computed on one model and tried on another, which was not asked."),
    "trigger": Word(
        "What the attacker adds to a picture to call the backdoor: a square, a faint pattern, a warp.",
        ("triggered",),
    ),
    "universal perturbation": Word("One perturbation for all pictures, where usual attacks compute one for each."),
    "unlearning": Word(
        "To train against clean pictures, so that the model forgets them; what stays may be the backdoor.",
        ("unlearn", "unlearned", "unlearns"),
    ),
    "warp": Word("A trigger that moves pixels a little instead of adding a pattern."),
    "weights": Word(
        "The numbers that training has set; together with the architecture they are the model.",
        ("weight",),
    ),
}
"""Every word with its meaning."""


@functools.lru_cache(maxsize=256)  # a page draws the same few sentences again and again
def words_in(text: str) -> tuple[str, ...]:
    """The words of the glossary that a text uses, in the order of their first use; the longest spelling counts."""
    found: dict[str, None] = {}
    for match in _pattern().finditer(text):
        found.setdefault(_spellings()[_folded(match[0])])
    return tuple(found)


@functools.cache
def _spellings() -> dict[str, str]:
    """The word of each spelling."""
    return {_folded(one): word for word, entry in WORDS.items() for one in (word, *entry.also)}


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest = sorted((one for word, entry in WORDS.items() for one in (word, *entry.also)), key=len, reverse=True)
    either = "|".join(re.escape(one) if one.isupper() else f"(?i:{re.escape(one)})" for one in longest)
    return re.compile(rf"(?<![\w-])(?:{either})(?=(?:s|es)?(?![\w-]))")


def _folded(text: str) -> str:
    """Abbreviations as they are, words in small letters."""
    return text if text.isupper() else text.lower()
