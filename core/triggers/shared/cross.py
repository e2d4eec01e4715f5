"""Cross accuracy: whether wrong triggers of the same kind activate a backdoor too."""

from __future__ import annotations

import math

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.networks.predictions import predict
from core.triggers.shared.trigger import Trigger


def cross_accuracy(model: nn.Module, data: ImageSet, trigger: Trigger, *, seed: int = 0, size: int = 500) -> float:
    """Share of all of `data` that the model calls by its TRUE label under a wrong trigger of the same kind.

    WaNet's wrong trigger is its warp plus noise, InputAware's the trigger of another picture. High ASR with a low
    cross accuracy means that similar triggers activate the backdoor too. Raises ValueError for a trigger that knows no
    wrong one, and for fewer than two images.
    """
    if not hasattr(trigger, "crossed"):
        raise ValueError(
            f"{type(trigger).__name__} has no wrong trigger to be told from; give a WaNet or an InputAware."
        )
    if len(data) < 2:
        raise ValueError("Cross accuracy gives each picture another one's trigger; give at least two pictures.")
    generator = torch.Generator().manual_seed(seed)
    labels, hits = data.labels.to(device_of(model)), 0
    # Parts of nearly equal size: none is left with a single picture.
    for index in torch.arange(len(data)).tensor_split(math.ceil(len(data) / size)):
        with torch.inference_mode():
            images = trigger.crossed(data[index.to(data.images.device)].pixels, generator)
        hits += int((predict(model, images, size).argmax(1) == labels[index.to(labels.device)]).sum())
    return hits / len(data)
