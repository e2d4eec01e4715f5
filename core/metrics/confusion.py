"""Which class is taken for which."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.data.modes import Trigger, stamped
from core.networks.predictions import predict


def mean(hits: Tensor) -> float:
    return hits.float().mean().item() if len(hits) else math.nan


def confusion(model: nn.Module, data: ImageSet, trigger: Trigger | None = None) -> Tensor:
    """Counts int64 (K, K) with rows = true class and columns = prediction, on (triggered) images."""
    images = data.images if trigger is None else stamped(trigger, data)
    return counted(predict(model, images), data)


def counted(logits: Tensor, data: ImageSet) -> Tensor:
    """`confusion` from the logits (N, K) of the images of `data`."""
    classes = max(len(data.class_names), logits.shape[1])
    cells = data.labels.cpu() * classes + logits.argmax(1).cpu()
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def correct(logits: Tensor, labels: Tensor) -> float:
    """Share of rows of logits (N, K) whose largest entry is the label."""
    return mean(logits.argmax(1) == labels)
