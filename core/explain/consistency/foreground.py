"""What of a picture a network's own heatmap calls foreground."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.explain.heatmaps.cam import enlarged

NORMALISATIONS = ("max", "minmax")


def heatmaps(raw: Tensor, size: tuple[int, int], normalise: str = "max") -> Tensor:
    """Raw maps (N, h, w) as heatmaps (N, H, W) in [0, 1]: ReLU, enlarged, divided by the maximum; zero stays zero.

    normalise : "minmax" takes away the minimum first
    """
    maps = enlarged(raw.float().clamp_min(0), size)
    if normalise == "minmax":
        maps = maps - maps.amin((1, 2), keepdim=True)
    largest = maps.amax((1, 2), keepdim=True)
    return maps / largest.where(largest > 0, 1)


def ranked(maps: Tensor, share: float) -> Tensor:
    """bool (N, H, W): the round(share H W) pixels of largest value, of equal ones the first."""
    flat = maps.flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    kept = torch.arange(flat.shape[1], device=maps.device) < round(share * flat.shape[1])
    return torch.zeros_like(flat, dtype=torch.bool).scatter_(1, order, kept.expand_as(flat)).view_as(maps)


def grown(mask: Tensor, pixels: int) -> Tensor:
    """A mask (N, H, W), each border moved out by so many pixels, or in where `pixels` is negative.

    The picture's own border is none: what lies beyond it counts as more of the same.
    """
    if pixels == 0:
        return mask
    inside = mask if pixels > 0 else ~mask
    side = 2 * abs(pixels) + 1
    wider = F.max_pool2d(inside[:, None].float(), side, stride=1, padding=abs(pixels))[:, 0] > 0
    return wider if pixels > 0 else ~wider
