"""Regions of an image for `Regional`: centre square, frame, random pixels, a heatmap's ends, or drawn by hand.

All return bool masks, True inside the region. Areas are shares of the H·W pixel positions. A square
and a frame come as near to the area as whole pixels allow; random and attended regions hold exactly
round(area · H · W) pixels. At 224 pixels the paper's sizes come out: area 0.287 gives the square of
side 120 (28.7 %) and the frame of 17 pixels per side (28.1 %).
"""

from __future__ import annotations

import math
import re

import torch
import torch.nn.functional as F
from torch import Tensor

GRID = 16
"""A drawn region is a grid of 16 x 16 cells: fine enough to aim, small enough for a link."""


def square(area: float, height: int, width: int) -> Tensor:
    """A centred rectangle with the image's proportions, bool (1, H, W)."""
    rows, columns = (max(1, round(side * math.sqrt(area))) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    mask = torch.zeros(1, height, width, dtype=torch.bool)
    mask[:, top : top + rows, left : left + columns] = True
    return mask


def frame(area: float, height: int, width: int) -> Tensor:
    """A border of even thickness, bool (1, H, W): h·w - (h - 2t)(w - 2t) = area · h · w, t rounded."""
    # The smaller root of 4t² - 2(h + w)t + area·h·w = 0.
    half = (height + width) / 2
    thickness = (half - math.sqrt(half * half - area * height * width)) / 2
    t = max(1, int(thickness + 0.5))
    mask = torch.ones(1, height, width, dtype=torch.bool)
    mask[:, t : height - t, t : width - t] = False
    return mask


def scattered(area: float, n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Random pixels, another set for each image, bool (n, H, W)."""
    return strongest(area, torch.rand(n, height, width, generator=generator))


def strongest(area: float, heat: Tensor) -> Tensor:
    """The pixels where each map (N, H, W) is largest, bool (N, H, W).

    Raises ValueError for a constant or non-finite map, which singles out no region.
    """
    flat = heat.flatten(1)
    dead = (flat.amax(1) == flat.amin(1)) | ~flat.isfinite().all(1)
    if bool(dead.any()):
        raise ValueError(
            f"The attention map of image {int(dead.nonzero()[0])} is the same everywhere, so it singles out no "
            "region; choose another family of regions."
        )
    count = max(1, round(area * flat.shape[1]))
    chosen = flat.topk(count, dim=1).indices
    return torch.zeros_like(flat, dtype=torch.bool).scatter(1, chosen, True).reshape(heat.shape)


def drawn(hex_digits: str, height: int, width: int) -> Tensor:
    """The region, bool (1, H, W), that a drawn grid stands for, as 64 hex digits (see `grid_from_hex`)."""
    grid = grid_from_hex(hex_digits).float()[None, None]
    return F.interpolate(grid, size=(height, width), mode="nearest-exact")[0] > 0.5


def grid_from_hex(text: object) -> Tensor:
    """The drawn grid, bool (16, 16), of 64 hex digits: four per row, the leftmost cell first.

    Raises ValueError for anything else, and for an empty grid.
    """
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(f"mask = {text!r} must be 64 hex digits, four for each of 16 rows.")
    rows = [f"{int(text[4 * row : 4 * row + 4], 16):016b}" for row in range(GRID)]
    grid = torch.tensor([[cell == "1" for cell in row] for row in rows])
    if not grid.any():
        raise ValueError("The mask is empty; mark at least one cell.")
    return grid


def grid_to_hex(grid: Tensor) -> str:
    """64 hex digits of a drawn grid, bool (16, 16)."""
    rows = ("".join("1" if cell else "0" for cell in row) for row in grid.bool().tolist())
    return "".join(f"{int(row, 2):04x}" for row in rows)
