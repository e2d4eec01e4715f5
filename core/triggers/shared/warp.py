"""Bilinear warping by a field of displacements, shared by the motion triggers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(images: Tensor, field: Tensor) -> Tensor:
    """Images (N, C, H, W) read at displaced places.

    `field` (N or 1, H, W, 2) holds (x, y) displacements in normalised coordinates, where [-1, 1]
    spans the picture; the place is clamped to the picture, so nothing outside it is ever read.
    """
    n, _, height, width = images.shape
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=images.device, dtype=images.dtype),
        torch.linspace(-1, 1, width, device=images.device, dtype=images.dtype),
        indexing="ij",
    )
    places = (torch.stack((x, y), dim=-1) + field.to(images)).clamp(-1, 1)
    return F.grid_sample(images, places.expand(n, -1, -1, -1), mode="bilinear", align_corners=True)
