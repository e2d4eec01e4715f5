"""Robust trainings step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui.texts.steps.numbers import counted, loss_fell, method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def training(result: Result, place: Place | None) -> list[Step]:
    """How many pictures, the ball, the perturbation of the weights, and where the loss went."""
    method, attack = method_of(result), method_of(result).attack
    fit = method.pictures - method.heldout - method.pseudo_labelled
    steps = [
        Step("Pictures that are learned from with their own labels, at most.", rf"n = {fit}"),
        Step("The ball, in steps of a pixel's 256 values.", rf"\varepsilon = \frac{{{tex(255 * attack.eps)}}}{{255}}"),
    ]
    part: Any = method.weight_perturbation
    if hasattr(part, "gamma"):
        steps.append(Step("How far the weights of each layer are moved, as a share of their norm.",
                          rf"\gamma = {tex(part.gamma)}"))  # fmt: skip
    if hasattr(method, "beta"):
        steps.append(Step("The weight of the second term.", rf"\beta = {tex(method.beta)}"))
    return steps + loss_fell(result, "The training's own loss, first and last.")


def robust(result: Result, place: Place | None) -> list[Step]:
    """Right under attack as counts, on test and on training pictures."""
    return _counts(result, {"after/robust": "Right under attack, of the test pictures.",
                            "train/robust": "Right under attack, of the pictures that were learned from."})  # fmt: skip


def gap(result: Result, place: Place | None) -> list[Step]:
    """The difference of both."""
    found = result.figures
    if not {"train/robust", "after/robust", "gap"} <= set(found):
        return []
    return [Step("Robust accuracy on training pictures, less that on test pictures.",
                 rf"{tex(found['train/robust'])} - {tex(found['after/robust'])} = {tex(found['gap'])}")]  # fmt: skip


def second(result: Result, place: Place | None) -> list[Step]:
    """The counts of the second training."""
    return _counts(result, {"beside/acc": "The second training: right without an attack, of the test pictures.",
                            "beside/robust": "Right under attack, of the test pictures.",
                            "beside/train/robust": "Right under attack, of the pictures it learned from."})  # fmt: skip


def _counts(result: Result, words: dict[str, str]) -> list[Step]:
    found, counts = result.figures, result.counts
    return [Step(said, counted(found[name], counts[name])) for name, said in words.items() if counts.get(name)]
