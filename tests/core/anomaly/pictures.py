"""Small pictures for outlier detectors: smooth blobs that are normal, and stripes that are not."""

from __future__ import annotations

import torch

from core.data.imageset import ImageSet


def pictures(normal: int = 40, strange: int = 4, size: int = 6, seed: int = 0) -> ImageSet:
    """Grey pictures (N, 1, size, size): `normal` soft blobs, then `strange` pictures of stripes."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    centre = 0.3 * torch.randn(normal, 2, 1, 1, generator=generator)
    blobs = torch.exp(-2 * ((x - centre[:, 0]) ** 2 + (y - centre[:, 1]) ** 2))
    stripes = (torch.arange(size) % 2).float().expand(strange, size, size)
    images = torch.cat([blobs, stripes]) + 0.03 * torch.randn(normal + strange, size, size, generator=generator)
    grey = (images.clamp(0, 1) * 255).round().to(torch.uint8)[:, None]
    return ImageSet(grey, torch.zeros(normal + strange, dtype=torch.int64), ("pictures",))
