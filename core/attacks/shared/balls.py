"""The balls that hold a change, L1, L2 and Linf: the steepest step in each, and the projection on ball and box."""

from __future__ import annotations

import torch
from torch import Tensor

SPARSE = 0.01
"""Share of the values that one L1 step moves; the steepest step moves one value only, which takes long."""


def length(change: Tensor) -> Tensor:
    """L2 norm per image, (N, 1, 1, 1), guarded against zero."""
    return change.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]


def size(change: Tensor, norm: str) -> Tensor:
    """The norm of each change (N, C, H, W), as (N,)."""
    return torch.linalg.vector_norm(change.flatten(1), {"linf": torch.inf, "l2": 2, "l1": 1}[norm], dim=1)


def steepest(slope: Tensor, norm: str, now: Tensor) -> Tensor:
    """The direction of unit norm along which a linear loss of this slope rises most; zero where the slope is.

    linf : sign(g);  l2 : g / ||g||_2
    l1 : +1 or -1 at the largest |g|, over their number, among the values of `now` that can still move that way. As in
        SLIDE (Tramèr and Boneh, NeurIPS 2019, https://arxiv.org/abs/1904.13000) a share of the values moves, not one.
    """
    if norm == "linf":
        return slope.sign()
    if norm == "l2":
        return slope / length(slope)
    stuck = (slope > 0) & (now >= 1) | (slope < 0) & (now <= 0)
    free = slope.masked_fill(stuck, 0).flatten(1)
    largest = free.abs().topk(max(1, round(SPARSE * free.shape[1])), dim=1).indices
    chosen = torch.zeros_like(free).scatter(1, largest, free.gather(1, largest).sign())
    return (chosen / chosen.abs().sum(1, keepdim=True).clamp_min(1)).reshape(slope.shape)


def projected(moved: Tensor, x: Tensor, eps: float | Tensor, norm: str) -> Tensor:
    """`moved` (N, C, H, W) on the ball of radius eps, one for all or (N, 1, 1, 1), around x, and in [0, 1].

    linf and l1 : the nearest point of both sets.  l2 : on the ball first, then clamped, which can only shorten.
    """
    change = moved - x
    if norm == "linf":
        change = change.clamp(-eps, eps)  # type: ignore[arg-type]  # both numbers, or both tensors
    elif norm == "l2":
        change = change * (eps / length(change)).clamp_max(1)
    else:
        change = _on_l1(change, x, eps)
    return (x + change).clamp(0, 1)


def _on_l1(change: Tensor, x: Tensor, eps: float | Tensor) -> Tensor:
    """The nearest change z with ||z||_1 <= eps and x + z in [0, 1]: sign(c) · clamp(|c| - lambda, 0, room).

    Croce and Hein, ICML 2021 (https://arxiv.org/abs/2103.01208). The sum over the clamped values falls with lambda, a
    line between the corners |c| - room and |c|: sorted, they give the lambda at which it is eps.
    """
    room = torch.where(change > 0, 1 - x, x).flatten(1).double()
    wide = change.abs().flatten(1).double()
    corners, order = torch.cat([(wide - room).clamp_min(0), wide], 1).sort(1)
    falling = torch.where(order < wide.shape[1], 1, -1).cumsum(1)  # how many values lambda shortens beyond each corner
    total = wide.minimum(room).sum(1, keepdim=True)
    fallen = (falling[:, :-1] * corners.diff(dim=1)).cumsum(1)
    sums = torch.cat([total, total - fallen], 1)  # at each corner; no value is shortened before the first
    budget = torch.as_tensor(eps, dtype=torch.float64, device=x.device).reshape(-1, 1)
    at = (sums > budget).sum(1, keepdim=True).clamp(1, corners.shape[1] - 1)
    shortened = corners.gather(1, at) - (budget - sums.gather(1, at)) / falling.gather(1, at - 1).clamp_min(1)
    shortened = shortened.masked_fill(total <= budget, 0)
    found = (wide - shortened).clamp_min(0).minimum(room).to(change).reshape(change.shape)
    return found * change.sign()
