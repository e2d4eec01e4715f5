"""Heatmaps step by step: the ends and the sum of the first picture's map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def ends(result: Result, place: Place | None) -> list[Step]:
    """Between which values the first map lies, and what it adds up to."""
    if "map" not in result.images:
        return []
    first = result.images["map"][0].double()
    return [
        Step("The smallest and the largest value of the first picture's map, which the colours hide.",
             rf"{tex(float(first.min()))} \le L \le {tex(float(first.max()))}"),
        Step("Its sum over the pixels.", rf"\textstyle\sum L = {tex(float(first.sum()))}"),
    ]  # fmt: skip


def agreement(result: Result, place: Place | None) -> list[Step]:
    """The mean over the pictures."""
    if "agreement" not in result.figures:
        return []
    n = result.counts["agreement"]
    return [Step(f"The rank correlation of both maps, the mean over {n} picture{'s' * (n > 1)}.",
                 rf"\bar\rho = {tex(result.figures['agreement'])}")]  # fmt: skip
