"""What a recipe may be given beside its method: checked in one place, since links are edited by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lab import methods
from lab.settings import settings

GRID = 16
"""A drawn mask is a grid of 16 x 16 cells: fine enough to aim, small enough for a link."""

MODES = ("all-to-one", "all-to-all", "any-to-one", "any-to-any")
UPLOAD = re.compile(r"upload:[0-9a-f]{64}")


def checked(inputs: Any) -> dict[str, Any]:
    """`inputs` in a fixed order and without None; ValueError in one sentence on anything unknown."""
    if not isinstance(inputs, dict):
        raise ValueError(f"inputs = {inputs!r} must be a JSON object.")
    for name in inputs:
        if name not in CHECKS:
            raise ValueError(f"A recipe has no input {name!r}; it has {', '.join(CHECKS)}.")
    return {name: CHECKS[name](name, inputs[name]) for name in CHECKS if inputs.get(name) is not None}


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r} must be a whole number from {low} to {high}.")
    return value


def _images(name: str, value: Any) -> str | list[int]:
    if isinstance(value, str) and UPLOAD.fullmatch(value):
        return value
    if not isinstance(value, list) or not 1 <= len(value) <= settings.max_batch:
        raise ValueError(
            f"{name} = {value!r} must be 1 to {settings.max_batch} indices of test images, or upload:<sha256>."
        )
    return [_whole(name, index, 0, 10_000_000) for index in value]


def _n(name: str, value: Any) -> int:
    return _whole(name, value, 1, settings.max_scored)


def _target(name: str, value: Any) -> int:
    return _whole(name, value, 0, 99_999)


def _rate(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"{name} = {value!r} must be a number between 0 and 1.")
    return float(value)


def _mode(name: str, value: Any) -> str:
    if value not in MODES:
        raise ValueError(f"{name} = {value!r} is not one of {', '.join(MODES)}.")
    return value


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f'{name} = {value!r} must be the name of a model, such as "zoo:scenes-clean".')
    return value


def _method(kind: str) -> Callable[[str, Any], dict[str, Any]]:
    def check(name: str, value: Any) -> dict[str, Any]:
        method = methods.from_dict(value)
        if methods.kind_of(method) != kind:
            raise ValueError(f"{name} = {type(method).__name__} is a {methods.kind_of(method)}, not a {kind}.")
        return methods.to_dict(method)

    return check


def _mask(name: str, value: Any) -> str:
    grid_from_hex(value)
    return value.lower()


def grid_from_hex(text: Any) -> Tensor:
    """The drawn grid, bool (16, 16), of 64 hex digits: four per row, the leftmost cell first."""
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


def mask_of(text: str | None, height: int, width: int) -> Tensor | None:
    """The mask, bool (1, height, width), that a drawn grid stands for."""
    if text is None:
        return None
    grid = grid_from_hex(text).float()[None, None]
    return F.interpolate(grid, size=(height, width), mode="nearest-exact")[0] > 0.5


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "images": _images,
    "n": _n,
    "rate": _rate,
    "target": _target,
    "mode": _mode,
    "mask": _mask,
    "judge": _word,
    "trigger": _method("trigger"),
    "explainer": _method("explainer"),
}
