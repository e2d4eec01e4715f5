"""Tests of heatmaps step by step: the cascade of the chosen picture, and means with their intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, name, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def tested(result: Result, place: Place | None) -> list[Step]:
    """The cascade of the chosen picture: after the first layer, where it is lowest, and at the end."""
    if "similarity" not in result.images:
        return []
    values, layers = result.images["similarity"].tolist(), result.per_image["layers"]
    known = {layer: value for layer, value in zip(layers, values[1:], strict=True) if value == value}
    if not known:
        return []
    lowest = min(known, key=lambda each: known[each])
    chosen = {layers[0]: "The layer nearest to the answer is random.", lowest: "Where the maps are least alike.",
              layers[-1]: "Every layer is random."}  # fmt: skip
    return [Step(words, rf"\rho_{{{name(layer)}}} = {tex(known[layer])}") for layer, words in chosen.items()
            if layer in known]  # fmt: skip


def mean(measure: str) -> Callable[[Result, Place | None], list[Step]]:
    """The mean over the pictures with its interval."""

    def steps(result: Result, place: Place | None) -> list[Step]:
        key = f"table/{result.notes.get('own')}/{measure}"
        if key not in result.figures:
            return []
        low, high = (result.figures[f"{key}/{end}"] for end in ("low", "high"))
        return [
            Step(f"The mean over {result.counts[key]} pictures.", tex(result.figures[key])),
            Step("Its 95 % interval by the bootstrap.", rf"[{tex(low)},\; {tex(high)}]"),
        ]

    return steps


def pointing(result: Result, place: Place | None) -> list[Step]:
    """How many maps have their highest pixel on the object."""
    if "pointing" not in result.figures:
        return []
    return [Step("Maps whose highest pixel lies on the object, of those that are not constant.",
                 counted(result.figures["pointing"], result.counts["pointing"]))]  # fmt: skip
