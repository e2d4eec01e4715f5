"""What the Square attack starts from and tries next, in Linf and in L2."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from core.attacks.shared.balls import length
from core.attacks.shared.problem import Problem
from core.attacks.shared.squares import side_of, signs, stripes


class Proposals(Protocol):
    """Images (N, C, H, W) on the ball, from the problem's budget."""

    def start(self, problem: Problem, generator: torch.Generator) -> Tensor: ...

    def propose(self, problem: Problem, now: Tensor, share: float, generator: torch.Generator) -> Tensor: ...


def proposals(norm: str) -> Proposals:
    return Blocks() if norm == "linf" else Windows()


class Blocks:
    """Linf: every value of a square goes to the budget, up or down by channel."""

    def start(self, problem: Problem, generator: torch.Generator) -> Tensor:
        channels, height, width = problem.images.shape[1:]
        change = stripes((channels, height, width), 1.0, generator).to(problem.images)
        return (problem.images + problem.allowed(problem.eps * change)).clamp(0, 1)

    def propose(self, problem: Problem, now: Tensor, share: float, generator: torch.Generator) -> Tensor:
        channels, height, width = now.shape[1:]
        block = torch.zeros(1, channels, height, width)
        rows, columns = window(min(side_of(share, height, width), height, width), height, width, generator)
        block[:, :, rows, columns] = 2 * signs((channels, 1, 1), generator)
        moved = (now + problem.eps * block.to(now) - problem.images).clamp(-problem.eps, problem.eps)
        return (problem.images + problem.allowed(moved)).clamp(0, 1)


class Windows:
    """L2: the norm of one window of the change goes to another, which takes the shape of two opposite peaks."""

    def start(self, problem: Problem, generator: torch.Generator) -> Tensor:
        """Tiles of peaks over the whole image, five along its height."""
        channels, height, width = problem.images.shape[1:]
        change = torch.zeros(channels, height, width)
        side = max(1, min(height, width) // 5)
        top, start = height % side // 2, width % side // 2
        for row in range(top, height - side + 1, side):
            for column in range(start, width - side + 1, side):
                tile = peaks(side, generator) * signs((channels, 1, 1), generator)
                change[:, row : row + side, column : column + side] = tile
        return _scaled(problem, change.to(problem.images).expand_as(problem.images))

    def propose(self, problem: Problem, now: Tensor, share: float, generator: torch.Generator) -> Tensor:
        channels, height, width = now.shape[1:]
        side = _odd(max(3, side_of(share, height, width)), min(height, width))
        filled, emptied = (window(side, height, width, generator) for _ in range(2))
        change = now - problem.images
        here = torch.zeros(1, 1, height, width, dtype=torch.bool)
        here[:, :, filled[0], filled[1]] = here[:, :, emptied[0], emptied[1]] = True
        spare = (problem.eps**2 - length(change) ** 2).clamp_min(0) / channels  # of the squared norm, per channel
        norm = (spare + change.masked_fill(~here.to(now.device), 0).square().sum((2, 3), keepdim=True)).sqrt()
        new = (peaks(side, generator) * signs((channels, 1, 1), generator)).to(now)
        new = new + _unit(change[:, :, filled[0], filled[1]])
        change[:, :, emptied[0], emptied[1]] = 0
        change[:, :, filled[0], filled[1]] = _unit(new) * norm
        return _scaled(problem, change)


def window(side: int, height: int, width: int, generator: torch.Generator) -> tuple[slice, slice]:
    """Rows and columns of a square at a random place."""
    top, left = (int(torch.randint(room - side + 1, (), generator=generator)) for room in (height, width))
    return slice(top, top + side), slice(left, left + side)


def peaks(side: int, generator: torch.Generator) -> Tensor:
    """eta, (side, side) of unit norm: a positive peak above a negative one, or beside it, as drawn."""
    upper = side // 2
    shape = torch.cat([_peak(upper, side), -_peak(side - upper, side)])
    shape = shape / shape.norm()
    return shape.T if int(torch.randint(2, (), generator=generator)) else shape


def _peak(rows: int, columns: int) -> Tensor:
    """Nested centred squares, the j-th weighted 1 / (1 + j)², of unit norm; cut off at the border."""
    peak = torch.zeros(rows, columns)
    middle = rows // 2, columns // 2
    for j in range(max(middle) + 1):
        top, left = middle[0] - j, middle[1] - j
        peak[max(top, 0) : top + 2 * j + 1, max(left, 0) : left + 2 * j + 1] += 1 / (1 + j) ** 2
    return peak / peak.norm() if rows else peak


def _odd(side: int, most: int) -> int:
    """`side`, made odd, and at most `most`."""
    return min(side + (side + 1) % 2, most - (most + 1) % 2)


def _unit(change: Tensor) -> Tensor:
    """Each channel (N, C, s, s) at unit norm."""
    return change / change.square().sum((2, 3), keepdim=True).sqrt().clamp_min(1e-12)


def _scaled(problem: Problem, change: Tensor) -> Tensor:
    """The images with the change inside the mask, stretched to the whole budget."""
    change = problem.allowed(change)
    return (problem.images + problem.eps * (change / length(change))).clamp(0, 1)
