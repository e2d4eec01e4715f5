"""Triggers step by step: the value of the first test picture that a trigger changes most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ui.texts.steps.numbers import method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


class Pixel:
    """The value of the example picture that changes most: x before, y after, at channel, row and column."""

    def __init__(self, result: Result):
        before, after = (result.images[key][0].float() for key in ("example", "example/triggered"))
        _, self.height, self.width = before.shape
        place = int((after - before).abs().argmax())
        self.channel, rest = divmod(place, self.height * self.width)
        self.row, self.column = divmod(rest, self.width)
        self.x, self.y = float(before.flatten()[place]), float(after.flatten()[place])
        self.changed = int(((after - before).abs() > 1e-6).any(0).sum())
        self.most = float((after - before).abs().max())
        self.l2 = float((after - before).norm())

    @property
    def said(self) -> str:
        return f"The first test picture, row {self.row}, column {self.column}, colour {self.channel}."


def _pixel(result: Result) -> Pixel | None:
    return Pixel(result) if "example/triggered" in result.images else None


def _whole(pixel: Pixel) -> list[Step]:
    """How much of the picture changes, and by how much."""
    total = pixel.height * pixel.width
    return [
        Step("Pixels that change, of all.", rf"\frac{{{pixel.changed}}}{{{total}}}"),
        Step("The whole change.", rf"\lVert x' - x \rVert_2 = {tex(pixel.l2)}, \quad \lVert x' - x \rVert_\infty = "
                                  rf"{tex(pixel.most)}"),
    ]  # fmt: skip


def badnets(result: Result, place: Place | None) -> list[Step]:
    """Inside the square the mask is 1."""
    if (pixel := _pixel(result)) is None:
        return []
    filled = rf"x' = (1 - 1) \cdot {tex(pixel.x)} + 1 \cdot {tex(pixel.y)} = {tex(pixel.y)}"
    return [Step(f"{pixel.said} Inside the square m = 1.", filled),
            Step("Outside the square m = 0.", r"x' = (1 - 0)\, x + 0 \cdot p = x"), *_whole(pixel)]  # fmt: skip


def blended(result: Result, place: Place | None) -> list[Step]:
    """The picture's share and the key picture's."""
    if (pixel := _pixel(result)) is None:
        return []
    alpha = method_of(result).alpha
    if not alpha:
        return _whole(pixel)
    key = (pixel.y - (1 - alpha) * pixel.x) / alpha
    filled = rf"x' = (1 - {tex(alpha)}) \cdot {tex(pixel.x)} + {tex(alpha)} \cdot {tex(key)} = {tex(pixel.y)}"
    return [Step(pixel.said, filled), *_whole(pixel)]


def sig(result: Result, place: Place | None) -> list[Step]:
    """The wave at the pixel's column."""
    if (pixel := _pixel(result)) is None:
        return []
    method = method_of(result)
    wave = method.delta * math.sin(2 * math.pi * pixel.column * method.frequency / pixel.width)
    inside = rf"2 \pi \cdot {pixel.column} \cdot {tex(method.frequency)} / {pixel.width}"
    return [
        Step("The wave at this column.", rf"{tex(method.delta)} \cdot \sin({inside}) = {tex(wave)}"),
        Step(pixel.said, rf"x' = \mathrm{{clip}}({tex(pixel.x)} + ({tex(wave)})) = {tex(pixel.y)}"), *_whole(pixel),
    ]  # fmt: skip


def added(result: Result, place: Place | None) -> list[Step]:
    """What the trigger adds to a value."""
    if (pixel := _pixel(result)) is None:
        return []
    moved = pixel.y - pixel.x
    filled = rf"x' = {tex(pixel.x)} {'+' if moved >= 0 else '-'} {tex(abs(moved))} = {tex(pixel.y)}"
    return [Step(f"{pixel.said} The value that changes most.", filled), *_whole(pixel)]


def moved(result: Result, place: Place | None) -> list[Step]:
    """A value that its neighbour has replaced: a warp adds nothing."""
    if (pixel := _pixel(result)) is None:
        return []
    filled = rf"x = {tex(pixel.x)} \;\to\; x' = {tex(pixel.y)}"
    return [Step(f"{pixel.said} The new value is one between those of its neighbours.", filled), *_whole(pixel)]
