"""A loss landscape: the robust loss along filter-normalised directions, of one model or of two on the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.flatness import LANDSCAPES, Surface
from core.runs import Run
from lab import loading
from lab.inputs import SPLIT, N, taking
from lab.inputs import model as model_input
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import method_of, model_of, require_classes
from lab.kinds.shared.weight_space import REFERENCE, data_line, loss_of, measured
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

ALIKE = 0.1
"""Rises that differ by less than this share of the larger one are called alike."""

MODELS = ("", "other/")
"""What the figures of the chosen model, and those of the second one, start with."""


def run(recipe: Recipe) -> Run[Result]:
    """The landscape of the recipe's model, and of the input "other" on the same directions.

    figures : "reference" (the loss at the weights) and "rise" (mean over the grid, less the reference) in nats,
        "fixed/rise" (the same on the examples of alpha = 0), "lower" (share of the grid's points that lie below the
        weights), "still_right"; of a second model the same with other/…
    images : "alphas" (A,); "loss", "fixed" and "accuracy", (M, D, A) for lines, (M, A, A) for a plane
    """
    model = yield from model_of(recipe)
    others, method, result = [], method_of(recipe), Result(recipe)
    data = measured(recipe, model)
    if "other" in recipe.inputs:
        others.append(loading.classifier(recipe.inputs["other"]))
        require_classes(recipe, others[0], data)
    found: Surface = yield from method.run(model, data, others=others, seed=recipe.seed)
    for m, head in enumerate(MODELS[: 1 + len(others)]):
        middle = m, *found.middle
        at_w = found.loss[middle].item()
        result.figures |= {
            f"{head}reference": at_w, f"{head}rise": found.rise(m), f"{head}fixed/rise": found.rise(m, fixed=True),
            f"{head}lower": (found.loss[m] < at_w).float().mean().item(),
            f"{head}still_right": found.accuracy[middle].item(),
        }  # fmt: skip
    result.counts |= dict.fromkeys(result.figures, found.n)
    result.images |= {"alphas": found.alphas, "loss": found.loss, "fixed": found.fixed, "accuracy": found.accuracy}
    return result


def conclude(result: Result) -> Conclusion:
    """Alone, whether the weights are a minimum of the slice; beside another model, which of the two is flatter."""
    found, n = result.figures, result.counts["rise"]
    loss, points = loss_of(result.recipe), result.images["loss"][0].numel()
    told = f"On average over {points} points, the {loss} lies {_lies(found, '')}"
    if "other/rise" not in found:
        if found["lower"] == 0:
            return Conclusion("lowest", f"{told}, which is the lowest of them ({n} pictures).")
        return Conclusion("not lowest", f"{told}; {found['lower']:.0%} of the points lie below it ({n} pictures).")
    ours, other = result.recipe.model, result.recipe.inputs["other"]
    rises = found["rise"], found["other/rise"]
    beside = f"{told}, that of {other} {_lies(found, 'other/')} ({n} pictures, same directions)"
    if abs(rises[0] - rises[1]) <= ALIKE * max(map(abs, rises)):
        return Conclusion("alike", f"{beside}: neither is flatter by more than {ALIKE:.0%}.")
    name = ours if isinstance(ours, str) else "the chosen model"
    return Conclusion("flatter" if rises[0] < rises[1] else "sharper",
                      f"{beside}: {name} is {'flatter' if rises[0] < rises[1] else 'sharper'} here.")  # fmt: skip


def _lies(found: Mapping[str, float], head: str) -> str:
    """ "2.00 nats above that at the weights (1.50)"; briefly for the second model."""
    rise, whose = found[f"{head}rise"], "" if head else " that at the weights"
    return f"{abs(rise):.2f} nats {'above' if rise >= 0 else 'below'}{whose} ({found[f'{head}reference']:.2f})"


def examples(result: Result) -> Conclusion:
    """How much of the rise is seen when the examples of alpha = 0 are used again everywhere."""
    rise, fixed = result.figures["rise"], result.figures["fixed/rise"]
    told = f"On the examples of α = 0 the mean change is {fixed:+.2f} nats, on examples found anew {rise:+.2f}."
    if method_of(result.recipe).loss == "clean":
        return Conclusion("no attack", "This is the clean loss, for which no examples are needed.")
    if rise - fixed <= 0.02 * max(abs(rise), abs(fixed)):
        return Conclusion("nothing", told)
    return Conclusion("half" if fixed <= 0.5 * rise else "some", told)


def lines(script: Script, recipe: Recipe) -> None:
    """The landscape, and the losses on its grid."""
    script.use("core.runs", "finish")
    others = f"[{script.load(recipe.inputs['other'])}]" if "other" in recipe.inputs else "[]"
    script.lines += [
        data_line(script, recipe),
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, data, others={others}, seed={recipe.seed}), bar=True)",
        "print(found.alphas, found.loss)",
    ]


OTHER = model_input("other")
"""A second model, on the same directions."""

KIND = Kind(
    "landscape", LANDSCAPES, run, Snippet(lines), taking(N, SPLIT, OTHER),
    needs_classes=True,
    scores=(
        Score(
            "rise", "Mean rise", unit="nats", better="down", live=True,
            help="Mean of the loss over the points so far, less the loss at the weights. Less is flatter.",
        ),
        REFERENCE,
        Score(
            "fixed/rise", "Rise, examples kept", unit="nats",
            help="The mean rise on the examples of α = 0, which are not attacked anew: it looks flatter than it is.",
        ),
        Score("other/rise", "Mean rise, other", unit="nats", better="down", help="The mean rise of the other model."),
    ),
    conclude=conclude, outcomes=("lowest", "not lowest", "flatter", "sharper", "alike"),
    questions={"examples": Question(examples, ("half", "some", "nothing", "no attack"))},
)  # fmt: skip
