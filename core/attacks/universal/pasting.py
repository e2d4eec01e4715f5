"""Pasting a patch into pictures: turned, scaled and moved by an affine map per picture, with gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHAPES = ("circle", "square")


def shape_mask(shape: str, side: int) -> Tensor:
    """Where a patch of P x P pixels is, float (1, P, P) of zeros and ones: its inscribed circle, or all of it."""
    if shape == "square":
        return torch.ones(1, side, side)
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    return (at[:, None].square() + at.square() <= 1).float()[None]


def placed(size: tuple[int, int], sides: Tensor, angles: Tensor, centres: Tensor) -> Tensor:
    """The map theta (N, 2, 3) from a picture's coordinates to the patch's, both in [-1, 1], as `affine_grid` takes it.

    size : height and width of the pictures
    sides : the patch's side as a share of the picture's shorter one, (N,), in (0, 1]
    angles : in radians, (N,); centres : x and y in [-1, 1], (N, 2): -1 and 1 are where the patch touches the border
    """
    check_sides(sides)
    height, width = size
    stretch = torch.tensor([width, height], device=sides.device) / min(size)
    centre = centres * (1 - sides[:, None] / stretch)
    cos, sin = angles.cos(), angles.sin()
    turn = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)
    linear = turn * stretch / sides[:, None, None]
    return torch.cat([linear, -(linear @ centre[..., None])], 2)


def check_sides(sides: Tensor) -> None:
    """Raise ValueError where a patch is larger than the picture."""
    if bool((sides > 1).any()) or bool((sides <= 0).any()):
        largest = sides.max().item()
        raise ValueError(
            f"A patch of {largest:g} times the picture's shorter side does not fit into it; give at most 1 and more "
            "than 0."
        )


def pasted(images: Tensor, patch: Tensor, mask: Tensor, theta: Tensor) -> Tensor:
    """(1 - m) x + m p with patch p (C, P, P) and mask m (1, P, P) under theta (N, 2, 3); where m is 0, x bit for bit.

    Differentiable by the patch. Patch and mask are read by one grid, bilinearly.
    """
    n = len(images)
    grid = F.affine_grid(theta.to(images), [n, *images.shape[1:]], align_corners=False)
    seen = F.grid_sample(patch.to(images).expand(n, -1, -1, -1), grid, padding_mode="border", align_corners=False)
    where = F.grid_sample(mask.to(images).expand(n, -1, -1, -1), grid, padding_mode="zeros", align_corners=False)
    return torch.where(where > 0, (1 - where) * images + where * seen, images)
