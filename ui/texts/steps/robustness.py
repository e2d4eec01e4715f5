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
    return [step for name, words in names.items() for step in _count(result, name, words)]


def report(result: Result, place: Place | None) -> list[Step]:
    """The budget, and the pictures of each side."""
    method = method_of(result)
    steps = [Step("The largest budget, in steps of a pixel's 256 values.",
                  rf"\varepsilon = \frac{{{tex(255 * method.eps)}}}{{255}}")]  # fmt: skip
    for name, words in (("acc", "Test pictures of all sides but AutoAttack."), ("autoattack", "Of AutoAttack.")):
        if name in result.counts:
            steps.append(Step(words, f"n = {result.counts[name]}"))
    return steps


def autoattack(result: Result, place: Place | None) -> list[Step]:
    """What survives, as a count."""
    return _count(result, "autoattack", "Left standing after all four attacks.")


def worst(result: Result, place: Place | None) -> list[Step]:
    """The worst class, as a count of its pictures."""
    name = result.notes.get("worst", "the worst class")
    return _count(result, "worst", f"Right under PGD, of the pictures of {name}.")


def corrupted(result: Result, place: Place | None) -> list[Step]:
    """Each corruption's accuracy, and their mean."""
    found = {name: value for name, value in result.figures.items() if name.startswith("corruption/")}
    shares = [value for name, value in found.items() if name != "corruption/occlusion"]
    if not shares:
        return []
    terms = " + ".join(tex(value) for value in shares)
    return [Step("Accuracy under each corruption, and their mean.",
                 rf"\tfrac{{1}}{{{len(shares)}}} ({terms}) = {tex(sum(shares) / len(shares))}")]  # fmt: skip


def region(result: Result, place: Place | None) -> list[Step]:
    """What survives an attack on the square alone."""
    return _count(result, "region/square", "Right under PGD on the square, of the test pictures.")


def _count(result: Result, name: str, words: str) -> list[Step]:
    return [Step(words, counted(result.figures[name], result.counts[name]))] if name in result.figures else []
