"""What a run that was stopped still tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.runs import Progress
from lab.kinds.kind import Score
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe


def stopped(recipe: Recipe, curve: list[dict[str, Any]], last: Progress | None) -> Result:
    """The live scores as they were measured last, those of the stage that they are compared with, and the model."""
    result = Result(recipe, curve=list(curve), stopped=True)
    for score in recipe.kind.live:
        _write(result, score, score.figure, (point for point in reversed(curve) if point["stage"] != score.against))
        if score.against:
            start = (point for point in curve if point["stage"] == score.against)
            _write(result, score, score.at(score.against), start)
    if last is not None and last.model is not None:
        result.model = last.model.eval().requires_grad_(False)
        result.model.zero_grad(set_to_none=True)
    result.seconds = curve[-1]["seconds"] if curve else 0.0
    return result


def _write(result: Result, score: Score, figure: str, points: Iterable[dict[str, Any]]) -> None:
    """The score of the first of `points` that has it, as `figure`, with the number of images behind it."""
    point = next((point for point in points if score.key in point), None)
    if point is None:
        return
    result.figures[figure] = point[score.key]
    if score.n in point:
        result.counts[figure] = int(point[score.n])
