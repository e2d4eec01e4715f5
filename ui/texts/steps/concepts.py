"""Concept vectors step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, method_of, name, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def tcav(result: Result, place: Place | None) -> list[Step]:
    """The class with the smallest p: its score, and where random concepts lie."""
    found = {key.removeprefix("p/"): x for key, x in result.figures.items() if key.startswith("p/")}
    if not found or "controls" not in result.images:
        return []
    k = min(found, key=lambda each: found[each])
    controls = result.images["controls"][:, list(found).index(k)]
    n, first = result.counts[f"score/{k}"], float(result.images["scores"][0, list(found).index(k)])
    return [
        Step(f"Of the {n} pictures of {k}, those whose logit rises along the first vector.",
             rf"\mathrm{{TCAV}}_{{{name(k)}}} = {counted(first, n)}"),
        Step(f"The mean over {len(result.images['scores'])} random sets.", tex(result.figures[f"score/{k}"])),
        Step(f"The scores of {len(controls)} random concepts, from the lowest to the highest.",
             rf"[{tex(float(controls.min()))},\; {tex(float(controls.max()))}]"),
        Step("How many of them lie as far from one half, and the concept itself, of all.",
             rf"p = \frac{{{round(found[k] * (1 + len(controls)))}}}{{{1 + len(controls)}}} = {tex(found[k])}"),
    ]  # fmt: skip


def acav(result: Result, place: Place | None) -> list[Step]:
    """What the method was told, then the class with the smallest p."""
    method = method_of(result)
    told = [] if not hasattr(method, "average") else [
        Step("Normals that are averaged, and how far copies move.",
             rf"M = {method.average}, \quad \eta = {tex(method.margin)}\, \overline{{\lVert a \rVert}}"),
    ]  # fmt: skip
    return told + tcav(result, place)


def fast(result: Result, place: Place | None) -> list[Step]:
    """How far apart the means lie, then the class with the smallest p."""
    if "difference" not in result.images:
        return []
    length = float(result.images["difference"].norm())
    return [Step("How far apart the two means lie.", rf"\lVert \bar a_C - \bar a_R \rVert = {tex(length)}"),
            *tcav(result, place)]  # fmt: skip


def recall_at_5(result: Result, place: Place | None) -> list[Step]:
    """The mean over the random sets."""
    return _mean(result, "", "recall_at_5", 2)


def recall(result: Result, place: Place | None) -> list[Step]:
    """The first set's count, and the mean."""
    return _mean(result, "", "recall", 0)


def fpr(result: Result, place: Place | None) -> list[Step]:
    """The first set's count, and the mean."""
    return _mean(result, "", "fpr", 1)


def spread(result: Result, place: Place | None) -> list[Step]:
    """From the lowest recall to the highest, and the deviation."""
    return _spread(result, "")


def second(key: str) -> Callable[[Result, Place | None], list[Step]]:
    """The steps of a score of the second method."""
    columns = {"recall": 0, "fpr": 1, "recall_at_5": 2}

    def steps(result: Result, place: Place | None) -> list[Step]:
        if key == "spread":
            return _spread(result, "beside/")
        return _mean(result, "beside/", key, columns[key])

    return steps


def _mean(result: Result, head: str, key: str, column: int) -> list[Step]:
    if f"{head}recalls" not in result.images:
        return []
    rows = result.images[f"{head}recalls"][:, column]
    return [
        Step("With the first random set.", counted(float(rows[0]), result.counts[head + key])),
        Step(f"The mean over {len(rows)} random sets.", tex(result.figures[head + key])),
    ]


def _spread(result: Result, head: str) -> list[Step]:
    if f"{head}recalls" not in result.images:
        return []
    rows = result.images[f"{head}recalls"][:, 0]
    return [
        Step(f"The lowest and the highest of {len(rows)} recalls.",
             rf"\rho_\text{{min}} = {tex(float(rows.min()))}, \quad \rho_\text{{max}} = {tex(float(rows.max()))}"),
        Step("Their standard deviation.", tex(result.figures[f"{head}spread"])),
    ]  # fmt: skip
