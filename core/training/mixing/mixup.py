"""MixUp: two pictures, one faintly seen through the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.training.mixing.mixer import Mixer


@dataclass(frozen=True)
class MixUp(Mixer):
    """MixUp (Zhang et al., ICLR 2018, arXiv 1710.09412), a part of a training: `Standard(mix=MixUp())`.

    The mask is lam everywhere: x~ = lam x + (1 - lam) x[partner].
    """

    def masks(
        self, lam: Tensor, size: tuple[int, int], device: torch.device, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """lam itself (M, 1, 1); nothing is drawn."""
        return lam.to(device)[:, None, None], lam
