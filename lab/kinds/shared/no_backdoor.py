"""What is said of a model without a backdoor: what its makers know, or only that the lab knows of none."""

from __future__ import annotations

from lab.results import Result
from models import Card, Classifier
from models.shelf import SHIPPED

TRAINED_WITHOUT = "was trained without a backdoor"
NONE_KNOWN = "has no backdoor that the lab knows of"

NOTE = "backdoor"
"""The note of a result under which these words stand; a result on a backdoored model has no such note."""


def predicate(card: Card) -> str:
    """The predicate of "this model …": only the training of a shipped model is known; nobody has checked another."""
    return TRAINED_WITHOUT if card.origin == SHIPPED else NONE_KNOWN


def note(result: Result, model: Classifier) -> None:
    """Write into `result` that `model` has no backdoor, where it has none."""
    if model.trigger is None:
        result.notes[NOTE] = predicate(model.card)
