"""Which models an adversarial example is tried on: those that a visitor has used, and shipped ones of the same data."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextlib import suppress

import models
from lab import run_names
from lab.own_models import own_models
from lab.robust_zoo import TRAININGS
from models import Classifier
from models.peek import plan_of


def names(model: Classifier, known: Iterable[str]) -> list[str]:
    """Others that have exactly the classes of `model`: of those that are `known`, then shipped ones, plain and robust
    ones first. No weights are loaded."""
    data = model.card.data
    first = [f"zoo:{data}-{training}" for training in TRAININGS]
    shipped = [card.ref for card in models.available() if data and card.data == data]
    shipped.sort(key=lambda ref: (first.index(ref) if ref in first else len(first), ref))
    listed = dict.fromkeys([*known, *shipped])
    return [ref for ref in listed if ref != model.card.ref and _classes(ref) == model.class_names]


def _classes(ref: str) -> tuple[str, ...]:
    """The names of a model's classes; none where nobody says without a download."""
    if run_names.is_run(ref):
        held = None
        with suppress(ValueError):
            held = own_models.find(run_names.text_of(ref))
        return () if held is None else held.class_names
    return _planned(ref)


@functools.lru_cache(maxsize=256)
def _planned(ref: str) -> tuple[str, ...]:
    with suppress(ValueError):
        return tuple(plan_of(ref).class_names)
    return ()
