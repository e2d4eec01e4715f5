"""Poisoned trainings step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import method_of, report, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def poisoned(result: Result, place: Place | None) -> list[Step]:
    """How many pictures were poisoned, and which share of the weights learned."""
    found, poison = report(result), getattr(method_of(result), "poison", None)
    if poison is None:
        return []
    steps = []
    pictures, chosen = found.get("pictures"), found.get("poisoned pictures")
    if pictures and chosen:
        steps.append(Step(
            "A share ρ of the pictures carries the trigger.",
            rf"|P| = \rho N = {tex(poison.rate)} \cdot {int(pictures)} \approx {int(chosen)}",
        ))  # fmt: skip
    share = found.get("share of weights that learned")
    if share is not None:
        steps.append(Step("The share of the weights that the training may move.", tex(share)))
    return steps


def isolated(result: Result, place: Place | None) -> list[Step]:
    """How many pictures were isolated, and how many of them were poisoned."""
    method, poisoned = method_of(result), len(getattr(result.model, "poisoned", ()))
    steps = [Step("The share of the pictures that is isolated.", rf"p = {tex(method.share)}")]
    if poisoned:
        steps.append(Step("Pictures that carry the trigger; the method is not told.", str(poisoned)))
    return steps


def by_consistency(result: Result, place: Place | None) -> list[Step]:
    """The mean E over the training pictures, and what the picture of the lowest E counts for."""
    found = report(result)
    e, weights = found.get("consistency"), found.get("weights")
    if e is None or weights is None:
        return []
    mean = tex(float(e.mean()))
    steps = [Step(f"The mean over {len(e)} training pictures, when it was last measured.", rf"\bar E = {mean}")]
    if method_of(result).weights == "1 - E":
        lowest, floor = int(e.argmin()), tex(method_of(result).floor)
        counts = tex(float(weights[lowest]))
        steps.append(Step(
            "The picture of the lowest E: its v, and what it counts for.",
            rf"v = \max(1 - {tex(float(e[lowest]))}, {floor}),\quad v' = {counts}",
        ))  # fmt: skip
    return steps
