"""The runs behind a channel ranking: the oracle, on the result of the repair whose report ranks the channels."""

from __future__ import annotations

from typing import Any

from core.defenses import ANP, CLP, RNP, TSBD
from core.knobs import Method
from core.metrics import TAC
from lab.recipes import Recipe

PICTURES = 300
"""Test pictures that a ranking is made with, at most: beyond this the top channels stay the same."""

MAKERS: dict[str, Method] = {
    "nwc": TSBD(steps=0, selection="fixed"),  # its ranking is known before anything is fine-tuned
    "anp": ANP(),
    "uclc": CLP(),
    "rnp": RNP(),
}
"""The repair behind each ranking that a repair reports."""


def ranked(kind: str, model: str, data: Any, n: int = PICTURES, *, form: str = "l2", seed: int = 0) -> Recipe:
    """The run that compares one ranking of a model's channels with the oracle's."""
    inputs = {"n": min(n, PICTURES)}
    return Recipe(TAC(form), Recipe(MAKERS[kind], model, data, inputs, seed), data, inputs, seed)
