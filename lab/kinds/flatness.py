"""Robust flatness: how much the loss rises when the weights move, at random or at worst, and after rescaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from core.flatness import FLATNESS, Flatness, Rescaled, Rescaling, WorstFlatness
from core.runs import Run
from lab.inputs import SPLIT, N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import method_of, model_of
from lab.kinds.shared.weight_space import REFERENCE, data_line, loss_of, measured
from lab.kinds.shared.words import of_all
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

STILL = 0.01
"""A measure that moves by less than this share of itself stands still."""
CONFIDENT = 0.1
"""Below this share of right answers under attack, a robust loss is little more than how sure the wrong ones are."""


def run(recipe: Recipe) -> Run[Result]:
    """Measure the recipe's model.

    figures : flatness and reference in nats, still_right (a share); over two draws or more low and high, the 95 %
        interval of the mean rise; of a rescaling gap, and before/flatness, before/absolute, absolute, before/trace,
        trace
    images : "draws" (D,), the rise of each draw or restart in nats; of a rescaling also "absolute" (D,)
    notes : of a rescaling "first" and "second", the layers
    """
    model = yield from model_of(recipe)
    data, result, method = measured(recipe, model), Result(recipe), method_of(recipe)
    found: Flatness | Rescaled = yield from method.run(model, data, seed=recipe.seed)
    if isinstance(found, Rescaled):
        _write(result, found.relative[1])
        result.figures |= {
            "gap": found.gap, "before/flatness": found.relative[0].value, "absolute": found.absolute[1].value,
            "before/absolute": found.absolute[0].value, "trace": found.trace[1], "before/trace": found.trace[0],
        }  # fmt: skip
        result.counts |= dict.fromkeys(result.figures, len(data))
        result.images["absolute"] = torch.tensor(found.absolute[1].draws)
        result.notes |= {"first": found.first, "second": found.second}
    else:
        _write(result, found)
        if not isinstance(method, WorstFlatness) and found.interval is not None:
            result.figures |= dict(zip(("low", "high"), found.interval, strict=True))
    return result


def _write(result: Result, found: Flatness) -> None:
    figures = {"flatness": found.value, "reference": found.reference, "still_right": found.accuracy}
    result.figures |= figures
    result.counts |= dict.fromkeys(figures, found.n)
    result.images["draws"] = torch.tensor(found.draws)


def conclude(result: Result) -> Conclusion:
    """How far the loss rises, with its interval or its tries; of a rescaling, which measures moved."""
    method = method_of(result.recipe)
    if isinstance(method, Rescaling):
        return _rescaled(result)
    value, reference, n = result.figures["flatness"], result.figures["reference"], result.counts["flatness"]
    told = f"the {loss_of(result.recipe)} by {abs(value):.2f} nats, from {reference:.2f}, on {n} pictures"
    if isinstance(method, WorstFlatness):
        tries = len(result.images["draws"])
        worst = f"The worst weights within ξ = {method.xi:g} that {tries} {'try' if tries == 1 else 'tries'} found"
        if value > 0:
            return Conclusion("climbs", f"{worst} raise {told}.{_caution(result)}")
        return Conclusion("no rise", f"{worst} do not raise the {loss_of(result.recipe)} ({value:+.2f} nats, {n} "
                          f"pictures): the ascent is too short, or the ball too small.{_caution(result)}")  # fmt: skip
    moved = f"Random weights at ξ = {method.xi:g} {'raise' if value >= 0 else 'lower'} {told}"
    if "low" not in result.figures:
        return Conclusion("one draw", f"{moved}: a single draw, so nothing is known of the spread.{_caution(result)}")
    low, high, draws = result.figures["low"], result.figures["high"], len(result.images["draws"])
    within = f"{moved} (95 % interval of the mean over {draws} draws: {low:+.2f} to {high:+.2f})"
    if low > 0:
        return Conclusion("rises", f"{within}.{_caution(result)}")
    if high < 0:
        return Conclusion("falls", f"{within}: other weights are better under this attack.{_caution(result)}")
    return Conclusion("unclear", f"{within}: the interval holds 0, so take more draws.{_caution(result)}")


def _caution(result: Result) -> str:
    """Of a model that the attack defeats: what its loss then tells."""
    right, n = result.figures["still_right"], result.counts["still_right"]
    if method_of(result.recipe).loss == "clean" or right >= CONFIDENT:
        return ""
    return (
        f" Under this attack the model gets {of_all(right, n)} right, so its loss tells how sure it is of wrong "
        "answers, not how robust it is."
    )


def _rescaled(result: Result) -> Conclusion:
    """Whether the measures moved while the function stood still."""
    found, k = result.figures, method_of(result.recipe).factor
    moved = {name: abs(found[name] - found[f"before/{name}"]) for name in ("flatness", "absolute", "trace")}
    still = {name: moved[name] <= STILL * max(1e-3, abs(found[f"before/{name}"])) for name in moved}
    told = (
        f"Multiplying {result.notes['first']} by {k:g} and dividing {result.notes['second']} by it leaves the logits "
        f"as they are (largest difference {found['gap']:.1g} of the largest logit)"
    )
    values = {
        "relative": f"{found['before/flatness']:.3f} to {found['flatness']:.3f} nats",
        "absolute": f"{found['before/absolute']:.3f} to {found['absolute']:.3f} nats",
        "trace": f"{found['before/trace']:,.1f} to {found['trace']:,.1f}",
    }
    rest = f"in an absolute ball from {values['absolute']}, the trace of the Hessian from {values['trace']}"
    if not still["flatness"]:
        return Conclusion("moved", f"{told}, yet flatness in the relative ball went from {values['relative']}; {rest}.")
    if still["absolute"] and still["trace"]:
        return Conclusion("all still", f"{told}, and no measure moved: {values['relative']} in the relative ball.")
    return Conclusion(
        "ours still", f"{told}. Flatness in the relative ball stays ({values['relative']}); {rest}."
    )


def size(result: Result) -> Conclusion:
    """How large the rise is beside the loss itself."""
    value, reference = result.figures["flatness"], result.figures["reference"]
    told = f"The {loss_of(result.recipe)} is {reference:.2f} nats, and {reference + value:.2f} at the moved weights."
    if value < 0:
        return Conclusion("falls", told)
    outcome = next((name for name, most in SIZES.items() if value <= most * reference), "more than doubles")
    return Conclusion(outcome, told)


SIZES = {"a tenth": 0.1, "a half": 0.5, "doubles": 1.0}
"""Up to which share of the loss itself a rise is called so."""


def lines(script: Script, recipe: Recipe) -> None:
    """The measure, and what it found."""
    script.use("core.runs", "finish")
    script.lines += [
        data_line(script, recipe),
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, data, seed={recipe.seed}), bar=True)",
        "print(found)",
    ]


KIND = Kind(
    "flatness", FLATNESS, run, Snippet(lines), taking(N, SPLIT),
    needs_classes=True,
    scores=(
        Score(
            "flatness", "Flatness", unit="nats", better="down", live=True, against="before",
            help="How much the loss rises when the weights move within a ball that is relative to each tensor, as the "
            "mean over random draws or at worst. Less is flatter.",
        ),
        REFERENCE,
        Score(
            "still_right", "Still right", better="up",
            help="Share of these pictures that the model gets right there, under the same attack.",
        ),
        Score(
            "absolute", "Absolute ball", unit="nats", against="before",
            help="The same rise for a ball of the size that it had before rescaling.",
        ),
        Score(
            "trace", "Hessian trace", unit="", against="before",
            help="Trace of the Hessian of the loss, by Hutchinson's estimate, the attacked pictures held.",
        ),
    ),
    conclude=conclude,
    outcomes=("rises", "falls", "unclear", "one draw", "climbs", "no rise", "ours still", "all still", "moved"),
    questions={"size": Question(size, (*SIZES, "more than doubles", "falls"))},
)  # fmt: skip
