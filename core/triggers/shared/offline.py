"""Triggers that are fitted before the training: what the experiments need to know of them."""

from __future__ import annotations

from typing import ClassVar, Self

from torch import nn

from core.data.imageset import ImageSet
from core.networks.predictions import predict
from core.runs import Run
from core.triggers.shared.trigger import LearnedTrigger


class OfflineTrigger(LearnedTrigger):
    """A learned trigger with `fit`, which comes before any training and gives a new trigger, fitted."""

    #: False where what is learned says nothing about a model, so that one fit serves all models of the same data.
    asks_model: ClassVar[bool] = True

    def fit(self, model: nn.Module, train: ImageSet, *, target: int, seed: int = 0) -> Run[Self]:
        """The same knobs, fitted on pictures of `train` (and to `model`) to lead to the class `target`."""
        raise NotImplementedError


def require_target(method: str, model: nn.Module, train: ImageSet, target: int) -> None:
    """Raise ValueError unless `target` is a class of the model."""
    classes = predict(model, train.images[:1]).shape[1]
    if not 0 <= target < classes:
        raise ValueError(f"{method}: target = {target} is not a class; the model knows {classes}, from 0.")
