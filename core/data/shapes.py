"""The ten objects of Scenes, as signed distances: negative inside, about 1 per object radius."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Shape = Callable[[Tensor, Tensor], Tensor]


def _box(u: Tensor, v: Tensor, half_width: float, half_height: float) -> Tensor:
    return torch.maximum(u.abs() - half_width, v.abs() - half_height)


def _disc(u: Tensor, v: Tensor) -> Tensor:
    return torch.hypot(u, v) - 0.85


def _square(u: Tensor, v: Tensor) -> Tensor:
    return _box(u, v, 0.75, 0.75)


def _triangle(u: Tensor, v: Tensor) -> Tensor:
    return torch.maximum(0.866 * u.abs() - 0.5 * v, v) - 0.5


def _flower(u: Tensor, v: Tensor) -> Tensor:
    return 0.7 * (torch.hypot(u, v) - 0.65 - 0.27 * torch.cos(5 * torch.atan2(u, v)))


def _cross(u: Tensor, v: Tensor) -> Tensor:
    return torch.minimum(_box(u, v, 0.9, 0.28), _box(u, v, 0.28, 0.9))


def _ring(u: Tensor, v: Tensor) -> Tensor:
    return (torch.hypot(u, v) - 0.65).abs() - 0.22


def _crescent(u: Tensor, v: Tensor) -> Tensor:
    return torch.maximum(torch.hypot(u, v) - 0.9, 0.7 - torch.hypot(u - 0.45, v))


def _heart(u: Tensor, v: Tensor) -> Tensor:
    return 0.8 * (torch.hypot(u, v + 0.6 * u.abs().sqrt() - 0.2) - 0.8)


def _arrow(u: Tensor, v: Tensor) -> Tensor:
    shaft = _box(u, v - 0.35, 0.2, 0.55)
    head = torch.maximum(0.75 * u.abs() - 0.66 * (v + 0.9), v + 0.1)
    return torch.minimum(shaft, head)


def _hourglass(u: Tensor, v: Tensor) -> Tensor:
    waist = 0.1 + 0.75 * v.abs()
    return torch.maximum(v.abs() - 0.85, 0.8 * (u.abs() - waist))


SHAPES: dict[str, Shape] = {
    "disc": _disc,
    "square": _square,
    "triangle": _triangle,
    "flower": _flower,
    "cross": _cross,
    "ring": _ring,
    "crescent": _crescent,
    "heart": _heart,
    "arrow": _arrow,
    "hourglass": _hourglass,
}


def signed_distance(label: int, u: Tensor, v: Tensor) -> Tensor:
    """Distance to the outline of shape `label` at object coordinates u (right), v (down), any shape."""
    return list(SHAPES.values())[label](u, v)
