"""What a run that was stopped still tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.runs import Progress
from lab.kinds.kind import Score
from lab.kinds.shared.scoring import STILL
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe


def stopped(recipe: Recipe, curve: list[dict[str, Any]], last: Progress | None, moments: int = 0) -> Result:
    """The live scores as they were measured last, those of the stage that they are compared with, and the model.

    A score is compared only with one over as many images: the first of the test images, in both cases. What has left a
    model of its own is named by the recipe that stops at the same place, after as many `moments`.
    """
    result = Result(recipe, curve=list(curve), stopped=True)
    for score in recipe.kind.live:
        points = [point for point in reversed(curve) if score.key in point]
        now = next((point for point in points if point["stage"] != score.against), None)
        _write(result, score, score.figure, now)
        if score.against:
            start = (point for point in points if point["stage"] == score.against)
            same = (point for point in start if now is None or point.get(score.n) == now.get(score.n))
            _write(result, score, score.at(score.against), next(same, None))
    if last is not None and last.model is not None:
        result.model = last.model.eval().requires_grad_(False)
        result.model.zero_grad(set_to_none=True)
        if moments and last.stage not in STILL and "moments" in recipe.kind.inputs:
            result.recipe = recipe.replace(inputs=recipe.inputs | {"moments": moments})
    result.seconds = curve[-1]["seconds"] if curve else 0.0
    return result


def _write(result: Result, score: Score, figure: str, point: dict[str, Any] | None) -> None:
    """The score of a moment, if there is one, as `figure`, with the number of images behind it."""
    if point is None:
        return
    result.figures[figure] = point[score.key]
    if score.n in point:
        result.counts[figure] = int(point[score.n])
