"""What every trigger is: a function on pictures."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from core.knobs import Method


class Trigger(Method):
    """`trigger(images, targets=None) -> images`: float (N, C, H, W) in [0, 1], same shape out.

    The input is never changed in place. `targets` (N,) matters only to any-to-any triggers.
    """

    #: True where the trigger decides anew in every batch what is stamped (`poison_batch`).
    controls_training: ClassVar[bool] = False

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    def poison(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float
    ) -> tuple[Tensor, Tensor]:
        """One batch (images, labels) with a share `rate` poisoned towards the labels `wanted` (N,)."""
        raise NotImplementedError
