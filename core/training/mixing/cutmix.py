"""CutMix: a rectangle of one picture pasted into another."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.training.mixing.mixer import Mixer


@dataclass(frozen=True)
class CutMix(Mixer):
    """CutMix (Yun et al., ICCV 2019, arXiv 1905.04899), a part of a training: `Standard(mix=CutMix())`.

    The mask is 0 in a rectangle and 1 around it. With r = sqrt(1 - lam) its sides are r H and r W, its centre is any
    pixel, and it is cut off at the border. lam is then the share of the pixels outside, exactly. The authors mix half
    of the batches of CIFAR, probability = 0.5, and all of ImageNet's.
    """

    def masks(
        self, lam: Tensor, size: tuple[int, int], device: torch.device, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Centres are drawn by the generator, columns first."""
        height, width = size
        column = torch.randint(width, lam.shape, generator=generator)
        row = torch.randint(height, lam.shape, generator=generator)
        return outside_boxes(lam, row, column, size, device)


def outside_boxes(
    lam: Tensor, row: Tensor, column: Tensor, size: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Masks (M, H, W), 0 in boxes around (row, column) and 1 elsewhere, and which share of the pixels is 1.

    Half sides are rounded down, so that a box reaches from centre - half to centre + half, the end left out.
    """
    height, width = size
    half = 0.5 * (1 - lam.double()).sqrt()
    rows, high = _within(row, (half * height).long(), height, device)
    columns, wide = _within(column, (half * width).long(), width, device)
    inside = rows[:, :, None] & columns[:, None, :]
    return (~inside).float(), (1 - (high * wide).double() / (height * width)).float()


def _within(centre: Tensor, half: Tensor, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which of `length` positions lie in each interval (M, length), and how many do (M,)."""
    first, end = (centre - half).clamp_min(0), (centre + half).clamp_max(length)
    position = torch.arange(length, device=device)
    inside = (position >= first.to(device)[:, None]) & (position < end.to(device)[:, None])
    return inside, end - first
