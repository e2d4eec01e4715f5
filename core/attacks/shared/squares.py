"""What the square attacks share: the start of stripes, and how large the squares are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""After these of 10,000 iterations the share of pixels in a square is halved once more."""


def share_of_pixels(p: float, iteration: int, iterations: int) -> float:
    """p_i: p, halved after each of HALVINGS, which are stretched to the number of iterations."""
    place = int(iteration / iterations * 10_000)
    return p / 2 ** sum(place > halving for halving in HALVINGS)


def side_of(share: float, height: int, width: int) -> int:
    """The side of a square that holds this share of the pixels, in whole pixels, at least 1."""
    return max(1, round(math.sqrt(share * height * width)))


def stripes(shape: tuple[int, int, int], eps: float, generator: torch.Generator) -> Tensor:
    """The start: vertical stripes of +eps or -eps, drawn for each channel and column."""
    channels, _, width = shape
    return (eps * signs((channels, 1, width), generator)).expand(shape).contiguous()


def signs(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """+1 or -1, with the same probability."""
    return torch.randint(2, shape, generator=generator).float() * 2 - 1
