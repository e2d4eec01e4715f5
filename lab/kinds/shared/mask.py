"""A region that was drawn by hand, as an input of a recipe."""

from __future__ import annotations

from typing import Any

from core.attacks.inputs.regional.masks import grid_from_hex
from lab.inputs import Input


def _check(value: Any) -> str:
    grid_from_hex(value)
    return value.lower()


MASK = Input("mask", _check)
"""64 hex digits, the rows of a 16 x 16 grid."""
