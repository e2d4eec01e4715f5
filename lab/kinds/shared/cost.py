"""What a change to a model's weights, an injection or a repair, costs in accuracy."""

from __future__ import annotations

from lab.kinds.kind import Conclusion, Question
from lab.kinds.shared.words import moved
from lab.results import Result

SHOWS = 0.05
"""A loss of accuracy above this is seen by whoever tests the model."""

BOUNDS = {"less than half": 0.005, "up to two": 0.02, "up to five": SHOWS}
MORE = "more than five"


def accuracy(result: Result) -> str:
    """ "accuracy fell from 97.2 % to 95.7 %", over the same test images."""
    figures = result.figures
    return moved("accuracy", figures["before/acc"], figures["after/acc"], result.counts.get("after/acc"))


def conclude(result: Result) -> Conclusion:
    """How much accuracy the change cost, on the same test images."""
    lost = result.figures["before/acc"] - result.figures["after/acc"]
    outcome = next((name for name, most in BOUNDS.items() if lost <= most), MORE)
    told = accuracy(result)
    return Conclusion(outcome, f"{told[0].upper()}{told[1:]}, a change of {-100 * lost:+.1f} points.")


COST = Question(conclude, (*BOUNDS, MORE))
"""Asked about a kind whose results have before/acc and after/acc."""
