"""Formula, symbols, meaning and source of each method, for the foot of its page."""

from __future__ import annotations

from ui.texts import attacks, detectors, repairs, triggers
from ui.texts.scores import BEC, DER, TAC
from ui.texts.text import UNKNOWN, Text

__all__ = ["BEC", "DER", "TEXTS", "Text", "of"]

TEXTS = triggers.TEXTS | attacks.TEXTS | repairs.TEXTS | detectors.TEXTS | {"TAC": TAC}
"""The texts of all methods, by name."""


def of(name: str) -> Text:
    """The text of the method called `name`."""
    return TEXTS.get(name, UNKNOWN)
