"""One change for all pictures, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, loss_fell, method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def universal(result: Result, place: Place | None) -> list[Step]:
    """The ball, the size of what was found, and the loss."""
    method = method_of(result)
    size, order = (r"\infty", float("inf")) if method.norm == "linf" else ("2", 2)
    steps = [Step("The ball that v is sought in.", rf"\lVert v \rVert_{size} \le \xi = {tex(method.xi)}")]
    if "change" in result.images:
        length = float(result.images["change"].flatten().norm(order))
        steps.append(Step("The size of what was found.", rf"\lVert v \rVert_{size} = {tex(length)}"))
    return steps + loss_fell(result, "The mean loss of a batch, first and last; it is lowered.")


def patch(result: Result, place: Place | None) -> list[Step]:
    """Sides, pixels and the loss."""
    method = method_of(result)
    steps = [Step("The patch's side, as a share of the picture's shorter side.",
                  rf"s \in [{tex(method.smallest)}, {tex(method.largest)}]"),
             Step("The largest angle.", rf"{tex(method.rotation)}^\circ")]  # fmt: skip
    if "change" in result.images:
        side = result.images["change"].shape[-1]
        steps.append(Step("Values that Adam moves: colours times pixels.",
                          rf"{result.images['change'].shape[0]} \cdot {side} \cdot {side}"))  # fmt: skip
    return steps + loss_fell(result, "The mean loss of a batch, first and last.")


def fooling(result: Result, place: Place | None) -> list[Step]:
    """Counts."""
    names = {"fooling": "Fooled, of the test pictures.", "fit/fooling": "Fooled, of the pictures that it was made on.",
             "control/fooling": "Fooled by the control, of the test pictures."}  # fmt: skip
    return [Step(words, counted(result.figures[name], result.counts[name]))
            for name, words in names.items() if result.counts.get(name)]  # fmt: skip


def others(result: Result, place: Place | None) -> list[Step]:
    """The rate of each network, and their mean."""
    if "others" not in result.images:
        return []
    rates = result.images["others"][:, 0].tolist()
    mean = " + ".join(tex(rate) for rate in rates)
    return [Step("Fooling rates of the networks beside it, and their mean.",
                 rf"\tfrac{{1}}{{{len(rates)}}} ({mean}) = {tex(sum(rates) / len(rates))}")]  # fmt: skip
