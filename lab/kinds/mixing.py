"""Trainings with different mixers beside one without, from one start and on the same batches, and what they led to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from core.runs import Progress, Run
from core.training import COMPARISONS
from core.training.mixing.comparison import FIRST, SECOND, UNMIXED
from lab import loading
from lab.inputs import N, taking
from lab.kinds.kind import Conclusion, Kind, Question, Score
from lab.kinds.shared.learner import as_stored, learner, learner_lines, limit
from lab.kinds.shared.scoring import watched
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor, method_of, size_of
from lab.kinds.shared.side_by_side import side_by_side
from lab.kinds.shared.standing import Standing, standing
from lab.kinds.shared.words import of_all, share
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

TESTED = 300
"""Test pictures where the recipe says no n."""
NAMES = UNMIXED, FIRST, SECOND
ALIKE = 0.02
"""Calibration errors that differ by less are called alike: over a few hundred pictures chance moves them by as much."""


def run(recipe: Recipe) -> Run[Result]:
    """Train `arch:…`, or a given model further, without mixing, with the first mixer and with the second.

    figures : for each of "unmixed", "first" and "second" on the first n test pictures <name>/acc, /ece,
        /overconfidence, /corrupted, /occluded, /robust (`lab.kinds.shared.standing`), and /corruption/<corruption>;
        "first/gain" and "second/gain": accuracy less that of "unmixed", each with "/from" and "/to", the 95 % interval
        of a paired difference over these pictures; chance (1 / K)
    images : "reliability/<name>" (3, bins): counts, confidence, accuracy; "layers/<name>" (2, L): the bounds
    notes : "first", "second", the mixers' names; "layers", those of the layers, one after the other
    networks : the trained ones by name
    """
    method = method_of(recipe)
    start, train = yield from learner(recipe, method.pictures)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", TESTED), size=size_of(start))
    result = Result(recipe, figures={"chance": 1 / len(test.class_names)})
    result.notes |= {name: called(recipe, name) for name in method.trainings()}
    runs = {
        f"{name}/": watched(training.run(start, train, seed=recipe.seed), test, Backdoor())
        for name, training in method.trainings().items()
    }
    trained = yield from side_by_side(runs, {})
    found: dict[str, Standing] = {}
    for head, model in trained.items():
        as_stored(model)
        name = head.removesuffix("/")
        found[name] = yield from standing(model, test, eps=method.eps, severity=method.severity)
        result.networks[name] = model
        _write(result, name, found[name])
        looked = {f"{name}/acc": result.figures[f"{name}/acc"], f"{name}/n": float(len(test))}
        yield Progress("score", len(found), len(trained), looked, model=model)
    for name in found.keys() - {UNMIXED}:
        _gain(result, name, found[name].right, found[UNMIXED].right)
    return result


def called(recipe: Recipe, name: str) -> str:
    """What one of the trainings is called: "no mixing", "FMix", "FMix (2)" where both mixers are of one class."""
    if name == UNMIXED:
        return "no mixing"
    method = method_of(recipe)
    first, second = (type(each).__name__ for each in (method.first, method.second))
    return first if name == FIRST else f"{second} (2)" if second == first else second


def _write(result: Result, name: str, found: Standing) -> None:
    figures = {f"{name}/{key}": value for key, value in found.figures.items()}
    figures |= {f"{name}/corruption/{key}": value for key, value in found.corruptions.items()}
    result.figures |= figures
    result.counts |= dict.fromkeys(figures, len(found.right))
    diagram = found.calibration
    result.images[f"reliability/{name}"] = torch.stack([diagram.counts.double(), diagram.confidence, diagram.accuracy])
    bounds = found.layers.values()
    result.images[f"layers/{name}"] = torch.tensor([[each.lower for each in bounds], [each.upper for each in bounds]])
    result.notes["layers"] = ", ".join(found.layers)


def _gain(result: Result, name: str, right: torch.Tensor, floor: torch.Tensor) -> None:
    """The difference of two accuracies over the same pictures, which are right or wrong in both alike for the most."""
    difference = right.double() - floor.double()
    n, mean = len(difference), difference.mean().item()
    half = 1.96 * math.sqrt(max(0.0, difference.square().mean().item() - mean**2) / n)
    result.figures |= {f"{name}/gain": mean, f"{name}/gain/from": mean - half, f"{name}/gain/to": mean + half}


def conclude(result: Result) -> Conclusion:
    """Whether the first mixer gains accuracy over no mixing, beyond the chance of these pictures."""
    found, n = result.figures, result.counts["unmixed/acc"]
    told = f"Without mixing {of_all(found['unmixed/acc'], n, 'test pictures')} are right"
    for name in (FIRST, SECOND):
        if f"{name}/acc" in found:
            told += f"; with {result.notes[name]} {share(found[f'{name}/acc'], n)} ({_points(result, name)})"
    told += ". One seed: another start may order them otherwise."
    if found["first/gain/from"] > 0:
        return Conclusion("gains", told)
    return Conclusion("loses" if found["first/gain/to"] < 0 else "within chance", told)


def _points(result: Result, name: str) -> str:
    """ "+3.0 points, 95 % interval over these pictures -0.4 to +6.4"."""
    mean, low, high = (100 * result.figures[f"{name}/gain{end}"] for end in ("", "/from", "/to"))
    return f"{mean:+.1f} points, 95 % interval over these pictures {low:+.1f} to {high:+.1f}"


def confidence(result: Result) -> Conclusion:
    """Whose confidence is closer to its accuracy: the first mixer's or that of no mixing."""
    found, n, name = result.figures, result.counts["unmixed/ece"], result.notes[FIRST]
    told = (
        f"Confidence misses accuracy by {_error(result, UNMIXED)} without mixing and by {_error(result, FIRST)} with "
        f"{name} (expected calibration error, {n} test pictures)."
    )
    gained = found["unmixed/ece"] - found["first/ece"]
    if abs(gained) < ALIKE:
        return Conclusion("alike", told)
    return Conclusion("closer" if gained > 0 else "further", told)


def _error(result: Result, name: str) -> str:
    over = result.figures[f"{name}/overconfidence"]
    way = "too sure" if over > 0 else "not sure enough"
    return f"{100 * result.figures[f'{name}/ece']:.1f} points (on average {100 * abs(over):.1f} {way})"


def lines(script: Script, recipe: Recipe) -> None:
    """The trainings, and their accuracies."""
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    size = learner_lines(script, recipe, method_of(recipe).pictures)
    n = limit(recipe.inputs.get("n", TESTED))
    script.lines += [
        f'test = load_data({script.data(recipe)}, "test"{n}{size})',
        f"method = {script.code(recipe.method)}",
        "for name, training in method.trainings().items():",
        f"    trained = finish(training.run(model, train, seed={recipe.seed}), bar=True)",
        "    print(name, evaluate(trained, test).acc)",
    ]


HELP = {
    "acc": "Share of the test pictures that are right.",
    "ece": "Expected calibration error: how far confidence lies from accuracy, mean over bins of confidence.",
    "corrupted": "Share that is right under noise, blur, contrast, brightness, pixelation and JPEG, their mean.",
    "occluded": "Share that is right behind a grey square.",
    "robust": "Share that is right under PGD.",
}
LABELS = {
    "acc": "Accuracy", "ece": "Calibration error", "corrupted": "Corrupted", "occluded": "Occluded", "robust": "PGD",
}  # fmt: skip
WHOSE = {UNMIXED: "no mixing", FIRST: "first mixer", SECOND: "second mixer"}
SCORES = tuple(
    Score(
        f"{name}/{key}", f"{label}, {WHOSE[name]}", help=HELP[key], better="down" if key == "ece" else "up",
        live=key == "acc", n=f"{name}/n",
    )
    for key, label in LABELS.items() for name in NAMES
)  # fmt: skip

KIND = Kind(
    "mixing", COMPARISONS, run, Snippet(lines, loads_model=False), taking(N), needs_classes=True,
    scores=SCORES, conclude=conclude, outcomes=("gains", "within chance", "loses"),
    questions={"confidence": Question(confidence, ("closer", "alike", "further"))},
)  # fmt: skip
