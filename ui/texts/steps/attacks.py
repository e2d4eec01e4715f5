"""Attacks step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import ends, method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def _pixel(result: Result) -> list[Step]:
    """The value of the first picture that changes most."""
    if "perturbation" not in result.images:
        return []
    change = result.images["perturbation"][0]
    place = int(change.abs().argmax())
    before, moved = float(result.images["original"][0].flatten()[place]), float(change.flatten()[place])
    _, height, width = change.shape
    row, column = place % (height * width) // width, place % width
    return [Step(f"The first picture, the value that changes most (row {row}, column {column}).",
                 rf"x' = x + \delta = {tex(before)} {'+' if moved >= 0 else '-'} {tex(abs(moved))} = "
                 rf"{tex(before + moved)}")]  # fmt: skip


def fgsm(result: Result, place: Place | None) -> list[Step]:
    """One value of the first picture: one step of ε."""
    return [Step("Every value moves by ε along the sign of its gradient, unless 0 or 1 stops it.",
                 rf"\varepsilon = {tex(method_of(result).eps)}"), *_pixel(result)]  # fmt: skip


def pgd(result: Result, place: Place | None) -> list[Step]:
    """Steps and budget, and one value of the first picture."""
    return [*_ball(result), *_taken(result, "Steps that the first picture took.", "t"), *_pixel(result)]


def _ball(result: Result) -> list[Step]:
    """The budget."""
    method = method_of(result)
    size = {"linf": r"\infty", "l2": "2", "l1": "1"}[getattr(method, "norm", "linf")]
    budget = rf"\lVert \delta \rVert_{size} \le \varepsilon = {tex(method.eps)}"
    return [Step("The change may not leave the ball of radius ε.", budget)]


def _taken(result: Result, words: str, symbol: str) -> list[Step]:
    """The step at which the first picture was found, where it is known."""
    taken = result.per_image.get("steps", [None])[0]
    return [] if taken is None else [Step(words, rf"{symbol} = {int(taken)}")]


def apgd(result: Result, place: Place | None) -> list[Step]:
    """The budget, the first step, where the first picture was found, and one value of it."""
    eta = rf"\eta = 2\,\varepsilon = {tex(2 * method_of(result).eps)}"
    words = "The step whose point is returned for the first picture; 0 stands for the start or the picture itself."
    first, found = Step("The first step may cross the whole ball.", eta), _taken(result, words, "t")
    return [*_ball(result), first, *found, *_pixel(result)]


def square(result: Result, place: Place | None) -> list[Step]:
    """The budget, the last proposal that was kept for the first picture, and one value of it."""
    kept = _taken(result, "The last proposal that was kept for the first picture.", "i")
    return [*_ball(result), *kept, *_pixel(result)]


def autoattack(result: Result, place: Place | None) -> list[Step]:
    """The budget, and one value of the first picture."""
    return [*_ball(result), *_pixel(result)]


def mifgsm(result: Result, place: Place | None) -> list[Step]:
    """The budget, what is kept of the sum, and one value of the first picture."""
    words = "What each step keeps of the sum of the gradients before it."
    kept = Step(words, rf"\mu = {tex(method_of(result).momentum)}")
    return [kept, *_ball(result), *_pixel(result)]


def smallest(result: Result, place: Place | None) -> list[Step]:
    """The size of the change of the first picture, and one value of it."""
    if "perturbation" not in result.images:
        return []
    length = float(result.images["perturbation"][0].norm())
    found = rf"\lVert x' - x \rVert_2 = {tex(length)}"
    return [Step("The size of the whole change of the first picture.", found), *_pixel(result)]


def regional(result: Result, place: Place | None) -> list[Step]:
    """The region's share of the picture, the steps, and the budget that follows from both."""
    steps, method = [], method_of(result)
    if "region" in result.images:
        region = result.images["region"][0]
        inside, all_ = int(region.sum()), region.numel()
        steps.append(Step("The region L of the first picture: pixels that may change, of all.",
                          rf"\frac{{{inside}}}{{{all_}}} = {tex(inside / all_)}"))  # fmt: skip
    taken = result.per_image.get("steps", [None])[0]
    if taken is not None:
        n, alpha = int(taken), method.alpha
        steps.append(Step("Its steps n of length α: no value can have moved further than all of them together.",
                          rf"n\, \alpha = {n} \cdot {tex(alpha)} = {tex(n * alpha)}"))  # fmt: skip
    return steps + _pixel(result)


def injection(result: Result, place: Place | None) -> list[Step]:
    """The box, how much of it was used, and the loss."""
    method, found, steps = method_of(result), result.figures, []
    bound = r"\varepsilon\, |\theta_0|, \; " if method.box == "relative" else ""
    if "report/change/linf" in found:
        steps.append(Step("The box around each weight, and the largest change of one.",
                          rf"{bound}\varepsilon = {tex(method.eps)}: \quad \max |\theta - \theta_0| = "
                          rf"{tex(found['report/change/linf'])}"))  # fmt: skip
    if "report/relative/50" in found:
        steps.append(Step("The median change of a weight, as a share of its size.", tex(found["report/relative/50"])))
    if (loss := ends(result)) is not None:
        steps.append(Step("The whole loss L, at the first and the last step that was looked at.",
                          rf"{tex(loss[0])} \to {tex(loss[1])}"))  # fmt: skip
    return steps


def reactivation(result: Result, place: Place | None) -> list[Step]:
    """The budget and what was used of it; the bars are scores."""
    steps, method = [], method_of(result)
    if "delta" in result.images:
        most = float(result.images["delta"].abs().max())
        used = rf"\varepsilon = {tex(method.eps)}, \quad \lVert \delta \rVert_\infty = {tex(most)}"
        steps.append(Step("The budget, and the largest value of the perturbation that was found.", used))
    return steps
