"""Flatness and landscapes step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def average(result: Result, place: Place | None) -> list[Step]:
    """The loss at w, the mean over the draws, and their difference."""
    found, steps = result.figures, []
    if "reference" not in found or "draws" not in result.images:
        return []
    draws = result.images["draws"]
    steps.append(Step("The loss at the weights themselves.", rf"L(w) = {tex(found['reference'])}"))
    steps.append(Step(f"The mean loss over {len(draws)} random v, each attacked anew.",
                      rf"\mathbb{{E}}_v\, L(w + v) = {tex(found['reference'] + float(draws.mean()))}"))  # fmt: skip
    steps.append(Step("Their difference.", rf"F = {tex(float(draws.mean()))}"))
    if "low" in found:
        steps.append(Step("Its 95 % interval (Student's t over the draws).",
                          rf"[{tex(found['low'])},\; {tex(found['high'])}]"))  # fmt: skip
    return steps


def worst(result: Result, place: Place | None) -> list[Step]:
    """The loss at w, and the tries of which the highest counts."""
    if "reference" not in result.figures or "draws" not in result.images:
        return []
    tries = ", ".join(tex(float(value)) for value in result.images["draws"])
    return [
        Step("The loss at the weights themselves.", rf"L(w) = {tex(result.figures['reference'])}"),
        Step("What each try reached above it; the largest counts.",
             rf"F = \max\{{{tries}\}} = {tex(result.figures['flatness'])}"),
    ]  # fmt: skip


def rescaling(result: Result, place: Place | None) -> list[Step]:
    """The factor, and each measure before and after."""
    found = result.figures
    if "before/flatness" not in found:
        return []
    return [Step("The factor.", rf"k = {tex(method_of(result).factor)}"), *flatness(result, place),
            *absolute(result, place), *trace(result, place)]  # fmt: skip


def landscape(result: Result, place: Place | None) -> list[Step]:
    """The grid, and the loss in its middle and on average."""
    if "rise" not in result.figures:
        return []
    points, at_w = result.images["loss"][0].numel(), result.figures["reference"]
    return [
        Step("Points of the grid.", rf"|A| = {points}"),
        Step("The loss at α = 0.", rf"g(0) = {tex(at_w)}"),
        Step("The mean over the grid, and how far it lies above g(0).",
             rf"\bar g = {tex(at_w + result.figures['rise'])}, \quad \bar g - g(0) = {tex(result.figures['rise'])}"),
    ]  # fmt: skip


def flatness(result: Result, place: Place | None) -> list[Step]:
    """Loss at the moved weights less that at w; of a rescaling, before and after."""
    found = result.figures
    if "before/flatness" in found:
        return _moved(result, "flatness", "Flatness in the relative ball, before and after.")
    if "flatness" not in found or "reference" not in found:
        return []
    return [Step("Loss at the moved weights, less that at w.",
                 rf"{tex(found['reference'] + found['flatness'])} - {tex(found['reference'])} = "
                 rf"{tex(found['flatness'])}")]  # fmt: skip


def reference(result: Result, place: Place | None) -> list[Step]:
    """The mean over the pictures."""
    found = result.figures
    n = result.counts.get("reference")
    return [Step(f"The mean over {n} pictures.", rf"L(w) = {tex(found['reference'])}")] if n else []


def still_right(result: Result, place: Place | None) -> list[Step]:
    """Right answers under attack as a count."""
    n = result.counts.get("still_right")
    return [Step("Right under the attack, of all.", counted(result.figures["still_right"], n))] if n else []


def absolute(result: Result, place: Place | None) -> list[Step]:
    """The absolute ball, before and after."""
    return _moved(result, "absolute", "The same draws in balls of an absolute size, before and after.")


def trace(result: Result, place: Place | None) -> list[Step]:
    """The trace, before and after."""
    return _moved(result, "trace", "The trace of the Hessian, before and after.")


def rise(result: Result, place: Place | None) -> list[Step]:
    """The mean over the grid, less the middle."""
    return _risen(result, "")


def rise_kept(result: Result, place: Place | None) -> list[Step]:
    """The same on the examples of α = 0."""
    return _risen(result, "fixed/")


def rise_other(result: Result, place: Place | None) -> list[Step]:
    """The same of the other model."""
    return _risen(result, "other/")


def _risen(result: Result, head: str) -> list[Step]:
    found, at = result.figures, "other/reference" if head == "other/" else "reference"
    if f"{head}rise" not in found:
        return []
    mean = found[at] + found[f"{head}rise"]
    return [Step("The mean over the grid, less the loss at α = 0.",
                 rf"{tex(mean)} - {tex(found[at])} = {tex(found[f'{head}rise'])}")]  # fmt: skip


def _moved(result: Result, name: str, words: str) -> list[Step]:
    found = result.figures
    if f"before/{name}" not in found:
        return []
    return [Step(words, rf"{tex(found[f'before/{name}'])} \to {tex(found[name])}")]
