"""The smallest change that moves a point onto a hyperplane without leaving [0, 1], in Linf, L2 and L1."""

from __future__ import annotations

import torch
from torch import Tensor

ENDLESS = 1e30
"""Stands for infinity, so that a weight of zero stays where it is."""


def onto(x: Tensor, w: Tensor, gap: Tensor, norm: str) -> Tensor:
    """The smallest d with <w, d> = gap and x + d in [0, 1].

    x : points (N, D);  w : normals (N, D);  gap : (N,), what <w, x> falls short of;  norm : "linf", "l2" or "l1"

    Each value moves along sign(gap · w). Where the hyperplane cannot be reached, every value with a weight goes to its
    bound.
    """
    way = w.sign() * gap.sign()[:, None]
    room = torch.where(way > 0, 1 - x, x)
    weight, gap = w.abs(), gap.abs()[:, None]
    if norm == "l1":
        return way * _heaviest_first(weight, room, gap)
    pull = torch.ones_like(weight) if norm == "linf" else weight  # how far lambda = 1 moves a value that is free
    return way * (_level(weight * pull, weight * room, gap) * pull).minimum(room)


def _level(rates: Tensor, most: Tensor, gap: Tensor) -> Tensor:
    """The lambda (N, 1) with sum(min(lambda · rates, most)) = gap; ENDLESS where all of `most` is not enough.

    The sum rises along lines between the corners most / rates: sorted, they show the line that crosses the gap.
    """
    corners, order = torch.where(rates > 0, most / rates.clamp_min(1e-30), torch.inf).sort(1)
    rates, most = rates.gather(1, order), most.gather(1, order)
    none = torch.zeros_like(most[:, :1])
    full = torch.cat([none, most.cumsum(1)], 1)  # of the values that have reached their most, before each corner
    free = torch.cat([rates.flip(1).cumsum(1).flip(1), none], 1)  # of those that have not
    reached = full[:, 1:] + torch.where(free[:, 1:] > 0, corners * free[:, 1:], 0)
    short = ((reached < gap) & corners.isfinite()).sum(1, keepdim=True)
    at = short.clamp_max(corners.shape[1] - 1)
    level = (gap - full.gather(1, at)).clamp_min(0) / free.gather(1, at).clamp_min(1e-30)
    return level.masked_fill(short == corners.isfinite().sum(1, keepdim=True), ENDLESS)


def _heaviest_first(weight: Tensor, room: Tensor, gap: Tensor) -> Tensor:
    """How far each value moves (N, D): that of the largest weight to its bound, then the next, until it is enough."""
    sorted_weight, order = weight.sort(1, descending=True)
    gains = (weight * room).gather(1, order)
    missing = (gap - (gains.cumsum(1) - gains)).clamp_min(0)  # before each value's own move
    moved = torch.minimum(missing / sorted_weight.clamp_min(1e-30), room.gather(1, order))
    moved = moved.masked_fill(sorted_weight == 0, 0)
    return torch.zeros_like(weight).scatter(1, order, moved)
