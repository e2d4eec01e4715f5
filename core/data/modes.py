"""The modes of a backdoor: which label each one asks for, and the images that carry its trigger."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.device import in_batches

MODES = ("all-to-one", "all-to-all", "any-to-one", "any-to-any")


Trigger = Callable[..., Tensor]


def goal(labels: Tensor, mode: str, target: int | None, classes: int) -> Tensor:
    """The label (N,) a backdoor of this mode asks for, given the true labels (N,)."""
    if mode == "all-to-all":
        return (labels + 1) % classes
    if mode in ("all-to-one", "any-to-one"):
        if target is None:
            raise ValueError(f"mode {mode!r} needs a target class.")
        return torch.full_like(labels, target)
    raise ValueError(f"mode {mode!r} is not one of all-to-one, all-to-all, any-to-one, any-to-any.")


def stamped(trigger: Trigger, data: ImageSet, targets: Tensor | None = None, size: int = 500) -> Tensor:
    """`data`'s images with the trigger, float (N, C, H, W) in [0, 1]."""

    @torch.inference_mode()
    def stamp(batch: Tensor, *target: Tensor) -> Tensor:
        return trigger(batch.float().div_(255), *target)

    tensors = (data.images,) if targets is None else (data.images, targets)
    return in_batches(stamp, *tensors, size=size).clone()
