"""What a network looks at, and concepts."""

from __future__ import annotations

from ui.texts.words.word import Word

WORDS: dict[str, Word] = {
    "concept": Word(
        "Something that people see in pictures and that may have no class of its own: a stripe, a colour, a fin.",
    ),
    "concept vector": Word(
        "A direction in a layer's activations that leads from pictures without a concept to those with it; short CAV.",
        ("concept activation vector", "CAV"),
    ),
    "energy pointing game": Word(
        "The share of a heatmap's positive mass that lies on the object. A map that is the same everywhere scores the "
        "object's share of the picture."
    ),
    "explanation consistency": Word(
        "E: how alike the heatmaps of a picture are before and after an attack on its background, and 0 where the "
        "answer changes. 1 is an explanation that stays."
    ),
    "heatmap": Word(
        "Where in the picture the evidence for the named class lies, according to one method: at first GradCAM, which "
        "reads the last feature maps. The sidebar has the others.",
        ("heatmaps", "GradCAM"),
    ),
    "recall": Word("The share of the pictures with a concept that are recognised as such; nothing without the FPR."),
    "shuffled backgrounds": Word(
        "Backgrounds drawn without regard to what stands before them: an answer that rests on the background fails.",
    ),
    "TCAV": Word(
        "The share of a class's pictures whose logit rises along a concept vector. Random vectors have a score, too."
    ),
}
