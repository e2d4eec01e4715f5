"""Explanation consistency: a training that weighs pictures by E, alone or beside another, and its bias test."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from core.data import ImageSet
from core.runs import Progress, Run, mapped
from core.training import CONSISTENT
from lab.consistency_names import called
from lab.inputs import N, taking
from lab.inputs import method as method_input
from lab.kinds.kind import Kind, Question, Score
from lab.kinds.shared import bias_test
from lab.kinds.shared.beside import BESIDE, names, trained_names, training_lines, trainings
from lab.kinds.shared.changes import report
from lab.kinds.shared.consistency_outcomes import CHANGES, OUTCOMES, STABLE, change, conclude, stable
from lab.kinds.shared.fitting import is_fresh
from lab.kinds.shared.learner import as_stored, data_of, learner, limit, trained_by
from lab.kinds.shared.scoring import ACC
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import method_of
from lab.kinds.shared.side_by_side import side_by_side
from lab.results import Result
from lab.settings import settings
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

EXPLAINED = 300
"""Training pictures whose E is measured before and after."""


def run(recipe: Recipe) -> Run[Result]:
    """Train `arch:…`, or a given model further, and with the input "beside" a second time by that method.

    figures : of the trained model after/acc, after/shuffled, after/same, after/object, after/background (shares of the
        first n test pictures that are right on each set of the background challenge), after/gap (same less shuffled),
        after/epg (energy pointing game), after/consistency (mean E of EXPLAINED training pictures); the same as
        beside/… of the second training, and as before/… of a given model; chance (1 / K)
    images : "E/after", "E/beside", "E/before": E of each of these training pictures
    notes : "method" and, where there is a second one, "beside": what pictures count by
    """
    scenes = bias_test.scenes_of(recipe.data)
    first, both = method_of(recipe), trainings(recipe)
    start, train = yield from learner(recipe, max(each.pictures for each in both.values()))
    scenes = dataclasses.replace(scenes, size=start.input_size[-1])
    sets = yield from bias_test.sets_of(scenes, recipe.inputs.get("n"))
    result = Result(recipe, figures={"chance": 1 / len(train.class_names)})
    result.notes |= names(recipe, called)
    if not is_fresh(recipe):
        yield Progress("before", 1, 2, bias_test.glance(start, sets, settings.live_n), model=start)
        yield from _scores(result, "before", start, train, sets)
    runs = {head: _watched(each.run(start, train, seed=recipe.seed), sets) for head, each in both.items()}
    trained = yield from side_by_side(runs, {})
    for head, model in trained.items():
        as_stored(model)
        yield from _scores(result, head.rstrip("/") or "after", model, train, sets)
    result.model = model = trained[""]
    report(result, first, model)
    model.card = _card(model, start, recipe, result)
    return result


def _watched(run: Run[nn.Module], sets: Mapping[str, ImageSet]) -> Run[nn.Module]:
    """`run`, with accuracies of its model among its metrics every `settings.live_every` seconds."""
    due = time.monotonic() + settings.live_every / 4

    def looked(progress: Progress) -> Progress:
        nonlocal due
        if progress.model is None or time.monotonic() < due:
            return progress
        found = bias_test.glance(progress.model, sets, settings.live_n)
        due = time.monotonic() + settings.live_every
        return dataclasses.replace(progress, metrics=progress.metrics | found)

    return mapped(run, looked)


def _scores(
    result: Result, moment: str, model: nn.Module, train: ImageSet, sets: Mapping[str, ImageSet]
) -> Run[None]:
    """A network's figures as "<moment>/…", and E of the first training pictures."""
    stage = {"after": "score", "beside": "score"}.get(moment, moment)
    figures, counts = yield from bias_test.tested(stage, model, sets)
    method = method_of(result.recipe)
    e = yield from method.consistency.run(model, train[:EXPLAINED], seed=result.recipe.seed)
    figures["consistency"], counts["consistency"] = e.consistency.mean().item(), len(e.consistency)
    result.images[f"E/{moment}"] = e.consistency
    result.figures |= {f"{moment}/{name}": value for name, value in figures.items()}
    result.counts |= {f"{moment}/{name}": value for name, value in counts.items()}


def _card(model: Classifier, start: Classifier, recipe: Recipe, result: Result) -> Any:
    """The card of the network that was trained, with what was done to it and what came out."""
    scores = {name: result.figures[f"after/{name}"] for name in ("acc", "shuffled")}
    scores["n"] = result.counts["after/acc"]
    said = result.notes["method"]
    done = f"{trained_by(start, model, recipe)} {said[0].upper()}{said[1:]}."
    return dataclasses.replace(
        start.card, data=data_of(start, recipe), done=done, scores={"test": scores}, recipe=recipe.to_dict()
    )


def lines(script: Script, recipe: Recipe) -> None:
    """Both trainings, and their scores on each set of the background challenge."""
    script.use("core.data.backgrounds", "challenge")
    script.use("core.metrics.background", "background_scores")
    training_lines(script, recipe)
    scenes = script.code(bias_test.scenes_of(recipe.data))
    script.lines += [
        f"sets = challenge({scenes}{limit(recipe.inputs.get('n'))})",
        f"for trained in ({trained_names(recipe)}):",
        "    print(background_scores(trained, sets))",
    ]


def _score(key: str, label: str, help: str, better: str = "", **more: Any) -> Score:
    return Score(key, label, help=help, better=better, moment="after", against="before", **more)


SHUFFLED_HELP = "Share of the test pictures that are right when their backgrounds say nothing of their class."
KIND = Kind(
    "consistency", CONSISTENT, run, Snippet(lines, loads_model=False),
    taking(N, method_input("beside", CONSISTENT, "training by explanation consistency")), needs_classes=True,
    scores=(
        _score("shuffled", "Shuffled backgrounds", SHUFFLED_HELP, "up", short="Shuffled", live=True),
        dataclasses.replace(ACC, moment="after", against="before",
                            help="Share of the test pictures that are right on backgrounds as in training."),
        _score("background", "Background alone", "Share of pictures whose class is told from the background, the "
               "object being gone.", "down"),
        _score("epg", "Heat on the object", "Energy pointing game: the share of Grad-CAM's positive mass that lies "
               "on the object, on shuffled backgrounds.", "up"),
        _score("consistency", "Mean E", f"Explanation consistency, over {EXPLAINED} training pictures.", "up", unit=""),
        Score(f"{BESIDE}shuffled", "Shuffled, beside", help=f"Of the second training. {SHUFFLED_HELP}", better="up",
              live=True),
        Score(f"{BESIDE}acc", "Accuracy, beside", help="Of the second training, backgrounds as in training.",
              better="up", live=True),
        Score(f"{BESIDE}background", "Background, beside", help="Of the second training: the object being gone.",
              better="down"),
        Score(f"{BESIDE}epg", "Heat, beside", help="Of the second training: energy pointing game.", better="up"),
        Score(f"{BESIDE}consistency", "E, beside", help="Of the second training: mean E.", better="up", unit=""),
    ),
    conclude=conclude, outcomes=OUTCOMES, leaves_model=True,
    questions={"change": Question(change, CHANGES), "stable": Question(stable, STABLE)},
)  # fmt: skip
