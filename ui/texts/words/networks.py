"""Networks, their training and how they are measured."""

from __future__ import annotations

from ui.texts.words.word import Word

WORDS: dict[str, Word] = {
    "ACC": Word(
        "Clean accuracy: the share of pictures without a trigger that are classified correctly.",
        ("accuracy",),
    ),
    "agreement": Word("The share of pictures that two models put into the same class, right or wrong."),
    "augmentation": Word(
        "Small random changes of training pictures (shift, flip), so that a model learns more from few."
    ),
    "AUROC": Word(
        "Area under the ROC curve: how often a triggered picture gets a higher score than a clean one. 1 is perfect, "
        "0.5 is chance, and less means that the scores are the wrong way round."
    ),
    "batch norm": Word(
        "A layer that brings each channel to mean 0 and variance 1, then multiplies it by a learned scale γ and adds "
        "a learned shift β."
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
    "control": Word("The same measurement without the thing under test. Only what lies above it is evidence."),
    "CutMix": Word("Training on pictures of which a rectangle is another's; labels count by area."),
    "entropy": Word(
        "How undecided the model is: 0 where it is sure of one class, largest where all are equally likely."
    ),
    "feature": Word("A number inside the model, here mostly before its last layer, from which the classes are told."),
    "FMix": Word("Training on two pictures joined along a random mask of low frequencies; labels count by area."),
    "gradient": Word("For each input or weight, the direction and rate at which the loss rises."),
    "learning rate": Word("The length of one step of training; too large a step makes the loss run away."),
    "loss": Word("The number that training makes small: how wrong the model is on its training pictures."),
    "MixUp": Word("Training on weighted means of two pictures, with the same mean of their labels."),
    "nats": Word("The unit of a loss that is computed with natural logarithms: 2.3 nats is a guess among ten classes."),
    "seed": Word("The number that fixes all random draws. One seed is a single draw; several show the spread."),
    "weights": Word(
        "The numbers that training has set; together with the architecture they are the model.",
        ("weight",),
    ),
}
