"""Shipped networks that stand beside a chosen one: plain and robust ones of the same data."""

from __future__ import annotations

import models
from lab import loading
from models import Classifier

TRAININGS = ("clean", "at", "at-awp", "trades", "mart-awp")
"""Ends of the names of those that are set beside each other, `zoo:<data>-<training>`."""
MOST = 3


def names(model: Classifier) -> list[str]:
    """At most `MOST` others that were trained on the same data."""
    refs = (f"zoo:{model.card.data}-{training}" for training in TRAININGS if model.card.data)
    return [ref for ref in refs if ref != model.card.ref and models.shipped(ref)][:MOST]


def beside(model: Classifier) -> dict[str, Classifier]:
    """Those of `names` that take the same pictures and know the same classes."""
    found = {ref: loading.classifier(ref) for ref in names(model)}
    return {
        ref: net for ref, net in found.items()
        if net.class_names == model.class_names and net.input_size == model.input_size
    }  # fmt: skip
