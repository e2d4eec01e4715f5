"""The modes of a backdoor: which label each one asks for, and the images that carry its trigger."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.device import in_batches

ALL_TO_ONE, ALL_TO_ALL, ANY_TO_ONE, ANY_TO_ANY = MODES = ("all-to-one", "all-to-all", "any-to-one", "any-to-any")

Trigger = Callable[..., Tensor]
"""Images (N, C, H, W) in [0, 1], and targets (N,) where each class has a trigger -> images of the same shape."""


def single_target(mode: str) -> bool:
    """Whether the trigger leads to one class, so that there is a `target`; both such modes are scored alike."""
    return mode in (ALL_TO_ONE, ANY_TO_ONE)


def trigger_per_class(mode: str) -> bool:
    """Whether each class has a trigger of its own, called with `targets`."""
    return mode == ANY_TO_ANY


def keeps_labels(mode: str) -> bool:
    """Whether no label is changed, since the pictures are stamped batch by batch, in the augmentation."""
    return mode in (ANY_TO_ONE, ANY_TO_ANY)


def goal(labels: Tensor, mode: str, target: int | None, classes: int) -> Tensor:
    """The label (N,) a backdoor of this mode asks for, given the true labels (N,)."""
    if mode not in MODES:
        raise ValueError(f"mode {mode!r} is not one of {', '.join(MODES)}.")
    if trigger_per_class(mode):
        raise ValueError(f"mode {mode!r} asks for another label with each trigger; choose one of its targets.")
    if not single_target(mode):
        return (labels + 1) % classes
    if target is None:
        raise ValueError(f"mode {mode!r} needs a target class.")
    return torch.full_like(labels, target)


def stamped(trigger: Trigger, data: ImageSet, targets: Tensor | None = None, size: int = 500) -> Tensor:
    """`data`'s images with the trigger, float (N, C, H, W) in [0, 1]."""

    @torch.inference_mode()
    def stamp(batch: Tensor, *target: Tensor) -> Tensor:
        return trigger(batch.float().div_(255), *target)

    tensors = (data.images,) if targets is None else (data.images, targets)
    return in_batches(stamp, *tensors, size=size).clone()
