"""Attacks on single pictures, robust training and flat losses."""

from __future__ import annotations

from ui.texts.words.word import Word

WORDS: dict[str, Word] = {
    "adversarial training": Word(
        "Training on pictures that are attacked anew in every step, so that the network learns to withstand it.",
        ("robust training",),
    ),
    "APGD": Word(
        "Auto-PGD: PGD that chooses its own step length, halving it and going back to its best point where the loss "
        "has stopped rising.",
        ("Auto-PGD",),
    ),
    "AutoAttack": Word(
        "Four different attacks in turn, each on the pictures that withstood those before; what is left is the robust "
        "accuracy that defenses are compared by."
    ),
    "AWP": Word(
        "Adversarial weight perturbation: each step of the training is taken at the worst weights of a small ball "
        "around the network's own, so that it ends where the loss is flat."
    ),
    "budget": Word(
        "How large a perturbation may be at most, here mostly the largest change of one pixel value.",
        ("ε",),
    ),
    "corruption": Word(
        "What cameras and files do to pictures: noise, blur, contrast, brightness, pixelation, JPEG.", ("corrupted",)
    ),
    "DeepFool": Word("An attack that steps to the nearest class boundary until the class changes; no budget is set."),
    "DLR": Word(
        "Difference of logits ratio: a loss for attacks that does not change where all logits are scaled, so that a "
        "very confident network cannot hide its gradients."
    ),
    "FAB": Word("An attack that walks to the nearest class boundary and back towards the picture; no budget is set."),
    "FGSM": Word("An attack of a single step: every pixel moves by ε in the direction in which the loss rises."),
    "flatness": Word(
        "How little the loss changes when the weights do. It is measured as the rise of the loss at other weights "
        "nearby, so a small figure means a flat network.",
        ("flat", "flatter", "sharper"),
    ),
    "Hessian": Word(
        "The second derivatives of the loss in all pairs of weights: how it curves around the network. Its trace is "
        "the sum of the curvatures along the single weights.",
    ),
    "judge": Word("The model that decides whether an attack has succeeded; a second one makes it a transfer attack."),
    "L2": Word("The size of a change as the root of the sum of all squared changes.", ("whole change",)),
    "L∞": Word("The size of a change as its largest change of a single value.", ("largest change",)),
    "perturbation": Word(
        "A small change, here of pixels or of weights, made to see what the network does.",
        ("perturb",),
    ),
    "PGD": Word(
        "Projected gradient descent: an attack of several small steps up the loss, each brought back into the ball of "
        "allowed changes."
    ),
    "region": Word("The part of a picture that an attack may change.", ("regional attack",)),
    "robust accuracy": Word(
        "The share of pictures that are classified correctly under an attack, which must be named: a stronger one "
        "leaves fewer.",
        ("robustness",),
    ),
    "robust gap": Word("Robust accuracy on training pictures less that on pictures that were not learned from."),
    "robust loss": Word(
        "The loss on pictures that were attacked first, each within the same budget; the worst point that the attack "
        "finds for a picture counts.",
    ),
    "robust overfitting": Word(
        "In adversarial training: robust accuracy goes on rising on the training pictures and falls on others."
    ),
    "transfer": Word("An attack computed on one model and tried on another, which was not asked."),
    "universal perturbation": Word("One perturbation for all pictures, where usual attacks compute one for each."),
}
