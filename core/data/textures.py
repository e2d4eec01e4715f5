"""The five surface textures of Scenes: patterns in [-1, 1] at a random turn, frequency and phase."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TEXTURES = ("plain", "stripes", "checks", "dots", "grain")


def pattern(kinds: Tensor, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """Patterns (N, H, W) of the given kinds (N,), indices into TEXTURES; x, y (H, W) in [-1, 1]."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(len(kinds), 1, 1).uniform_(low, high, generator=generator)

    turn, pitch = uniform(0, math.pi), math.pi * uniform(2.5, 5.0)
    a = pitch * (turn.cos() * x + turn.sin() * y) + uniform(0, 2 * math.pi)
    b = pitch * (turn.cos() * y - turn.sin() * x) + uniform(0, 2 * math.pi)
    grain = 2 * torch.rand(a.shape, generator=generator) - 1
    made = torch.zeros_like(a)
    for kind, values in enumerate((None, _stripes(a), _checks(a, b), _dots(a, b), grain)):
        if values is not None:
            made = torch.where((kinds == kind)[:, None, None], values, made)
    return made


def _stripes(a: Tensor) -> Tensor:
    return torch.tanh(3 * a.sin())


def _checks(a: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(5 * a.sin() * b.sin())


def _dots(a: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(3 * (a.cos() + b.cos() - 0.6))
