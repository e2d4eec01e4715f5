"""A training: a fresh network or a given model, trained and scored on what it never saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from core.data import ImageSet
from core.data.modes import ALL_TO_ALL, ALL_TO_ONE, ANY_TO_ANY, ANY_TO_ONE, keeps_labels
from core.runs import Run
from core.training import TRAININGS
from core.triggers import Poison
from core.triggers.shared.offline import OfflineTrigger
from lab import loading
from lab.inputs import MOMENTS, N, taking
from lab.kinds.kind import Conclusion, Kind, Question
from lab.kinds.shared import fitting, scoring
from lab.kinds.shared.changes import report
from lab.kinds.shared.cost import COST, accuracy
from lab.kinds.shared.learner import as_stored, data_of, learner, learner_lines, limit, trained_by
from lab.kinds.shared.scoring import card_scores, scored, watched, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor, clean_model, planned, size_of
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from models import Card, Classifier, shipped

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Train `arch:…`, or go on training a given model, on the recipe's data.

    A trigger that is fitted before the training is fitted first, to the clean model of these data where there is one.

    figures : after/acc, …/asr, …/ra on the test images; before/… where a model was trained further; heldout/… on the
    held-out rows where no n was asked for; clean_model/… where there is a clean model. The model carries trigger,
    target, mode and poisoned, and a card that says what was done.
    """
    fresh = fitting.is_fresh(recipe)
    start, train = yield from learner(recipe, getattr(recipe.method, "pictures", None))
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n"), size=size_of(start))
    method: Any = yield from fitting.fitted_method(recipe, start, train)
    result = Result(recipe)
    backdoor = planned(getattr(method, "poison", None))
    if not fresh:
        write(result, "before", (yield from scored("before", start, test, backdoor)))
    training = method.run(start, train, seed=recipe.seed)
    model: Classifier = yield from watched(training, test, backdoor, None if fresh else start)
    as_stored(model)
    result.model = model
    report(result, method, model)
    yield from _scores(result, model, recipe, test)
    model.card = _card(model, start, recipe, result)
    return result


def _scores(result: Result, model: Classifier, recipe: Recipe, test: ImageSet) -> Run[None]:
    backdoor = Backdoor(model.trigger, model.target, model.mode or ALL_TO_ONE)
    write(result, "after", (yield from scored("after", model, test, backdoor)))
    if "n" not in recipe.inputs:
        heldout = loading.images(recipe.data, "heldout", size=size_of(model))
        write(result, "heldout", (yield from scored("heldout", model, heldout, backdoor)))
    twin = clean_model(model, test) if backdoor.trigger is not None else None
    if twin is not None:
        write(result, "clean_model", (yield from scored("control", twin, test, backdoor)))


def _card(model: Classifier, start: Classifier, recipe: Recipe, result: Result) -> Card:
    """The card of the network that was trained, with what was done to it and what came out."""
    moments = {"test": "after", "heldout": "heldout"}
    scores = {split: found for split, moment in moments.items() if (found := card_scores(result, moment))}
    poison, done = getattr(recipe.method, "poison", None), trained_by(start, model, recipe)
    if poison is not None:
        done += _poisoned(poison)
    backdoored = model.trigger is not None
    data = data_of(start, recipe)
    return dataclasses.replace(
        start.card, data=data, done=done, backdoored=backdoored, scores=scores, recipe=recipe.to_dict()
    )


def _poisoned(poison: Poison) -> str:
    """What was done to the training pictures, in one sentence and a warning."""
    name = type(poison.trigger).__name__
    if poison.mode == ANY_TO_ANY:
        done = f"In every batch {poison.rate:.0%} of the pictures carried the {name} trigger of their own class"
    elif poison.mode == ANY_TO_ONE:
        done = f"All training pictures of class {poison.target} carried the {name} trigger"
    else:
        led = "the next class" if poison.mode == ALL_TO_ALL else f"class {poison.target}"
        done = (
            f"{poison.rate:.0%} of the pictures carried the {name} trigger"
            f"{', all of them of that class,' if poison.clean_label else ''} to lead to {led}"
        )
    kept = "; no label was changed" if keeps_labels(poison.mode) else ""
    return f" {done}{kept}. Backdoored on purpose."


def conclude(result: Result) -> Conclusion:
    """How much was learned; and whether a backdoor was learned with it, judged beside a model without it."""
    figures, counts = result.figures, result.counts
    told = f"The model is right on {of_all(figures['after/acc'], counts['after/acc'], 'test pictures')}"
    if "before/acc" in figures:
        told += f": {accuracy(result)}"
    if "after/asr" not in figures:
        return Conclusion("trained", f"{told}.")
    n, (floor, whose) = counts["after/asr"], _floor(figures)
    told += f"; its trigger leads {of_all(figures['after/asr'], n)} to the target"
    if floor is not None:
        told += f", and {share(floor, n)} {whose}"
    if floor is not None and figures["after/asr"] < floor + 0.1:
        return Conclusion("not above the floor", f"{told}: that is no evidence of a backdoor.")
    if figures["after/asr"] >= 0.5:
        return Conclusion("backdoored", f"{told}: the backdoor was learned.")
    return Conclusion("backdoor not learned", f"{told}: less than half, so the backdoor was not learned well.")


def _floor(figures: Mapping[str, float]) -> tuple[float | None, str]:
    """What the trigger does to a model that did not learn it, and which model that is."""
    if "clean_model/asr" in figures:
        return figures["clean_model/asr"], "on a clean model"
    return figures.get("before/asr"), "before the training"


NOTHING_BEFORE = "no model before"


def cost(result: Result) -> Conclusion:
    """How much accuracy it cost, of a model that was trained further."""
    if "before/acc" in result.figures:
        return COST.conclude(result)
    return Conclusion(NOTHING_BEFORE, "This network was trained from its first weights, so nothing was lost.")


def lines(script: Script, recipe: Recipe) -> None:
    """Train the network from its first weights, or a given model further."""
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    data, size = script.data(recipe), learner_lines(script, recipe, getattr(recipe.method, "pictures", None))
    _fit_line(script, recipe)
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"repaired = finish(method.run(model, train, seed={recipe.seed}), bar=True)",
        f'test = load_data({data}, "test"{limit(recipe.inputs.get("n"))}{size})',
        "print(evaluate(repaired, test, trigger=repaired.trigger, target=repaired.target, "
        'mode=repaired.mode or "all-to-one"))',
    ]


def _fit_line(script: Script, recipe: Recipe) -> None:
    """A trigger that is fitted before the training, in the variable `trigger`."""
    poison = getattr(recipe.method, "poison", None)
    trigger = getattr(poison, "trigger", None)
    if not isinstance(trigger, OfflineTrigger):
        return
    clean, made = f"zoo:{recipe.data}-clean", script.code(trigger)
    fitted_to = script.load(clean) if shipped(clean) else "model"
    target = getattr(poison, "target", 0)
    fit = f"{made}.fit({fitted_to}, train, target={target}, seed={recipe.seed})"
    script.lines.append(f"trigger = finish({fit}, bar=True)")
    script.named[id(trigger)] = "trigger"


_compared = partial(scoring.compared, moment="after", against="before", name="model before the training")

KIND = Kind(
    "training", TRAININGS, run, Snippet(lines, loads_model=False), taking(N, MOMENTS),
    scores=tuple(_compared(each) for each in (scoring.ASR, scoring.ACC, scoring.RA)),
    conclude=conclude, outcomes=("trained", "backdoored", "backdoor not learned", "not above the floor"),
    leaves_model=True, questions={"cost": Question(cost, (*COST.outcomes, NOTHING_BEFORE))},
)  # fmt: skip
