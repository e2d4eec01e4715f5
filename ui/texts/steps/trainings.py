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
