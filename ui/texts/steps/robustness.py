"""Robust accuracy against the budget, and changes for all pictures, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, method_of, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def curve(result: Result, place: Place | None) -> list[Step]:
    """The budgets, and the length of a step at the largest."""
    method = method_of(result)
    steps = [Step("Budgets above 0, and the largest in steps of a pixel's 256 values.",
                  rf"{method.levels}, \quad \varepsilon = \frac{{{tex(255 * method.eps)}}}{{255}}")]  # fmt: skip
    if "budgets" in result.images:
        largest = float(result.images["budgets"][-1])
        steps.append(Step("A step of PGD at the largest radius r.",
                          rf"\frac{{2.5\, r}}{{T}} = \frac{{2.5 \cdot {tex(largest)}}}{{{method.steps}}} = "
                          rf"{tex(2.5 * largest / method.steps)}"))  # fmt: skip
    return steps


def survives(result: Result, place: Place | None) -> list[Step]:
    """Counts at the largest budget."""
    names = {"survives": "Right at every budget, of the test pictures.",
             "control/survives": "Right under random noise of the largest budget.",
             "others/survives": "Right at every budget, by the best of the networks beside it."}  # fmt: skip
    return [Step(words, counted(result.figures[name], result.counts[name]))
            for name, words in names.items() if name in result.figures]  # fmt: skip
