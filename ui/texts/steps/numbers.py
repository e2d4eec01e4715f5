"""Numbers of a result as formulas write them, and where a step finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.networks.report import report_of
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result


def tex(value: float) -> str:
    """Three significant digits: "0.0314", "12", and "1.2 \\cdot 10^{-5}" where zeros would hide them."""
    text = f"{value:.3g}"
    if "e" not in text:
        return text
    digits, power = text.split("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}"


def name(word: str) -> str:
    """A name inside a formula: upright, with its underscores and dots."""
    return rf"\text{{{word.replace('_', chr(92) + '_')}}}"


def method_of(result: Result) -> Any:
    """The method of the run; mypy knows no knob of it."""
    return result.recipe.method


def report(result: Result) -> dict[str, Any]:
    """What the model of the result carries as its report."""
    return report_of(result.model)


def counted(share: float, n: int) -> str:
    """A share of n as the count behind it: 3 of 4 as a fraction, and 0.75."""
    return rf"\frac{{{round(share * n)}}}{{{n}}} = {tex(share)}"


def ends(result: Result, metric: str = "loss", stage: str = "") -> tuple[float, float] | None:
    """The first and the last value of a metric along the run, of one stage where it is named."""
    values = [point[metric] for point in result.curve if metric in point and stage in ("", point["stage"])]
    return (values[0], values[-1]) if values else None


def loss_fell(result: Result, words: str, stage: str = "", metric: str = "loss") -> list[Step]:
    """The first and the last loss of the run, where its curve has them."""
    found = ends(result, metric, stage)
    return [] if found is None else [Step(words, rf"\ell_\text{{first}} = {tex(found[0])}, \quad "
                                                 rf"\ell_\text{{last}} = {tex(found[1])}")]  # fmt: skip


def known(scores: dict[str, Tensor], place: Place | None) -> Place:
    """`place`, where the scores have it, else the channel with the highest score."""
    if place is not None and place[0] in scores and place[1] < len(scores[place[0]]):
        return place
    from core.metrics.rankings import highest

    return highest(scores, 1)[0]


def validation(result: Result) -> list[Step]:
    """Accuracy on the defender's own pictures, which is all that a repair can judge itself by."""
    found = report(result)
    if "validation/before" not in found or "validation/after" not in found:
        return []
    before, after = float(found["validation/before"]), float(found["validation/after"])
    return [Step(
        "All that the defense can check itself: accuracy on clean pictures it set aside, before and after.",
        rf"{tex(before)} \to {tex(after)}",
    )]  # fmt: skip
