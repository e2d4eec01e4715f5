"""Logistic regression, many at once: a concept vector takes hundreds of them, and one by one they take seconds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CLOSE = 1e-7
"""A gradient per picture below this ends the search."""
MOST = 100
"""Newton steps at most."""


def logistic(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (S, d) and biases (S,) of S regressions of y (S, n) in {0, 1} on x (S, n, d), in x's precision.

    Minimises |w|^2 / 2 + sum_i log(1 + exp(-t_i (w . x_i + b))), t = 2 y - 1: scikit-learn's with C = 1, whose bias is
    not penalised either. Newton's method; a step that does not lower a loss is halved.
    """
    if x.shape[1] < x.shape[2]:
        return _in_their_span(x, y)
    ones = F.pad(x, (0, 1), value=1.0)
    ridge = torch.ones(ones.shape[2], dtype=x.dtype, device=x.device)
    ridge[-1] = 0
    w = x.new_zeros(len(x), ones.shape[2])
    loss = _loss(w, ones, y, ridge)
    for _ in range(MOST):
        p = (ones @ w[:, :, None])[:, :, 0].sigmoid()
        gradient = ((p - y)[:, None] @ ones)[:, 0] + ridge * w
        if bool(gradient.abs().max() < CLOSE * x.shape[1]):
            break
        curvature = (ones * (p * (1 - p))[:, :, None]).mT @ ones + torch.diag(ridge + 1e-12)
        step = torch.linalg.solve(curvature, gradient)
        size = x.new_ones(len(x))
        for _ in range(30):
            tried = _loss(w - size[:, None] * step, ones, y, ridge)
            worse = tried > loss + 1e-12 * loss.abs()
            if not bool(worse.any()):
                break
            size = torch.where(worse, size / 2, size)
        w, loss = w - size[:, None] * step, tried
    return w[:, :-1], w[:, -1]


def _loss(w: Tensor, ones: Tensor, y: Tensor, ridge: Tensor) -> Tensor:
    z = (ones @ w[:, :, None])[:, :, 0]
    return F.softplus(-(2 * y - 1) * z).sum(1) + (ridge * w.square()).sum(1) / 2


def _in_their_span(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The same with fewer pictures than dimensions: the weights lie in the pictures' span, so n coordinates will do."""
    values, directions = torch.linalg.eigh(x @ x.mT)
    root = values.clamp_min(0).sqrt()
    w, b = logistic(directions * root[:, None], y)
    inverse = torch.where(root > 1e-7 * root[:, -1:], 1 / root, 0)
    return (x.mT @ (directions @ (w * inverse)[:, :, None]))[:, :, 0], b
