"""Trainings by explanation consistency in words, and the settings that the page trains with."""

from __future__ import annotations

from typing import Any

from core.attacks import PGD
from core.explain import Consistency
from core.training import ExplanationConsistency
from core.training.explanation_consistency.sample_weights import (
    CONFIDENCE,
    INCONSISTENT,
    LOSS,
    NOISE,
    PERMUTED,
    PLAIN,
    REVERSED,
)

WORDS = {
    INCONSISTENT: "weights 1 − E", PLAIN: "plain training", REVERSED: "weights E", PERMUTED: "permuted weights 1 − E",
    LOSS: "weights by loss", CONFIDENCE: "weights by confidence", NOISE: "weights 1 − E under noise",
}  # fmt: skip
"""What pictures count by, by the rule."""


def called(method: Any) -> str:
    """What the pictures of a training count by: "weights by loss"."""
    return WORDS[method.weights]


def rule_of(words: str) -> str:
    """The rule that is called so."""
    return next(rule for rule, said in WORDS.items() if said == words)


def live() -> ExplanationConsistency:
    """Settings with which two trainings from a trained start take less than two minutes on two cores. The attack is
    one that heatmaps feel."""
    e = Consistency(attack=PGD(steps=3, stop_early=False))
    return ExplanationConsistency(
        consistency=e, epochs=4, pictures=1000, warmup=0.0, refresh=2, lr=0.02, batch_size=64
    )
