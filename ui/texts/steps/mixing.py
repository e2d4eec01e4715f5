"""Mixing step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, method_of, name, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result

NAMES = "unmixed", "first", "second"


def mixing(result: Result, place: Place | None) -> list[Step]:
    """How λ is drawn, how many steps each training took, and what the first mixer gained."""
    method, found = method_of(result), result.figures
    batches = max(1, method.pictures // method.batch_size)
    steps = [
        Step(f"How the first mixer, {type(method.first).__name__}, draws the weight of a picture's own label.",
             rf"\lambda \sim \mathrm{{Beta}}({tex(method.first.alpha)}, {tex(method.first.alpha)})"),
        Step("Steps of each training, at most: epochs times batches.",
             rf"{method.epochs} \cdot {batches} = {method.epochs * batches}"),
    ]  # fmt: skip
    if "first/gain" in found:
        first, unmixed = tex(found["first/acc"]), tex(found["unmixed/acc"])
        steps.append(Step("What the first mixer gains over no mixing, on the same test pictures.",
                          rf"{first} - {unmixed} = {tex(found['first/gain'])}"))  # fmt: skip
    return steps


def right(key: str) -> Callable[[Result, Place | None], list[Step]]:
    """The counts of right answers of each training."""

    def steps(result: Result, place: Place | None) -> list[Step]:
        return [
            Step(f"{result.notes.get(one, one)}: right, of the test pictures.",
                 counted(result.figures[f"{one}/{key}"], result.counts[f"{one}/{key}"]))
            for one in NAMES if result.counts.get(f"{one}/{key}")
        ]  # fmt: skip

    return steps


def ece(result: Result, place: Place | None) -> list[Step]:
    """The fullest bin of each training's reliability diagram, and the sum."""
    steps = []
    for one in NAMES:
        if (diagram := result.images.get(f"reliability/{one}")) is None:
            continue
        counts, confidence, accuracy = diagram
        b = int(counts.argmax())
        steps.append(Step(
            f"{result.notes.get(one, one)}: the fullest bin, and the sum over all.",
            rf"\tfrac{{{int(counts[b])}}}{{{int(counts.sum())}}} \lvert {tex(float(accuracy[b]))} - "
            rf"{tex(float(confidence[b]))} \rvert + \dots = {tex(result.figures[f'{one}/ece'])}",
        ))  # fmt: skip
    return steps


def corrupted(result: Result, place: Place | None) -> list[Step]:
    """The accuracy under each corruption, and their mean."""
    steps = []
    for one in NAMES:
        head = f"{one}/corruption/"
        shares = {key.removeprefix(head): value for key, value in result.figures.items() if key.startswith(head)}
        shares.pop("occlusion", None)
        if shares:
            terms = " + ".join(rf"\underset{{{name(key)}}}{{{tex(value)}}}" for key, value in shares.items())
            mean = tex(result.figures[f"{one}/corrupted"])
            steps.append(Step(f"{result.notes.get(one, one)}: the mean over the corruptions.",
                              rf"\tfrac{{1}}{{{len(shares)}}} ({terms}) = {mean}"))  # fmt: skip
    return steps
