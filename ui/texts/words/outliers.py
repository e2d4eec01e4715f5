"""Outliers, and the detectors that learn from pictures of which some are outliers."""

from __future__ import annotations

from ui.texts.words.word import Word

WORDS: dict[str, Word] = {
    "adversarial autoencoder": Word(
        "An autoencoder whose codes are made to follow a normal distribution, by a second network that tries to tell "
        "them from draws of it. An unlikely code is then a second alarm.",
        ("AAE",),
    ),
    "autoencoder": Word(
        "A network that squeezes a picture into a few numbers, its code, and reconstructs it from them. What it "
        "reconstructs badly is unlike what it was trained on.",
        ("AE",),
    ),
    "balanced accuracy": Word(
        "Mean of the share of outliers that are rejected and the share of normal pictures that are kept. Chance is "
        "50 %, however rare outliers are.",
        ("BAcc",),
    ),
    "ceiling": Word(
        "The highest balanced accuracy that a rule can have which rejects a fixed share of its training pictures: "
        "where more are rejected than there are outliers, some of those are normal."
    ),
    "contamination": Word("The share of outliers among the training pictures; nothing says which they are."),
    "ITSR": Word(
        "Iterative training set refinement: an adversarial autoencoder that leaves its likely outliers out of the "
        "training, round by round, and is at last trained to reconstruct the worst of them badly."
    ),
    "latent plane": Word(
        "The plane of codes of two numbers. Beyond the circle lies the tenth of the training pictures whose codes are "
        "least likely."
    ),
    "one-class SVM": Word("Draws a border around most of the points that it is given; what lies outside is unusual."),
    "outlier": Word(
        "A picture that does not belong with the others: of another class, with a trigger, or of another kind."
    ),
    "reconstruction error": Word("How far a picture lies from what an autoencoder makes of it, squared and summed."),
}
