"""The record of a shipped training: how its network stood after its epochs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models import shelf
from models.card import ModelError

FILE = "record.json"
"""Beside the weights of a model that has one."""


@dataclass(frozen=True)
class EpochRecord:
    """What `python -m bench.robust` noted while it trained a network.

    epochs : a value per look, after each epoch or after some, under each name: "epoch", "lr", "loss", "seconds", and
        of pictures that were trained on ("train") and of others ("heldout") "<set>/acc", "<set>/robust", shares,
        "<set>/loss", "<set>/robust_loss", nats
    scores : of the stored weights, on "train" and "test" pictures: "acc", "robust" and their "n"
    seconds, hardware : how long the training took, and on what
    """

    epochs: Mapping[str, Sequence[float]]
    scores: Mapping[str, Mapping[str, float]]
    seconds: float
    hardware: str

    @property
    def best(self) -> int:
        """The place of the epoch with the highest robust accuracy on pictures held out, the first of several."""
        robust = self.epochs["heldout/robust"]
        return max(range(len(robust)), key=lambda place: robust[place])


def record_of(ref: str) -> EpochRecord | None:
    """The record of a shipped model ("zoo:cifar10-at"); None where there is none, or no such model.

    Raises ModelError in one sentence where the file cannot be read.
    """
    if shelf.shipped(ref) is None:
        return None
    path = shelf.ZOO / ref.removeprefix("zoo:") / FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return EpochRecord(told["epochs"], told["scores"], told["seconds"], told["hardware"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FILE} of {ref} is not a record of a training; take the file that shipped.") from error
