"""A training: a fresh network or a given model, trained and scored on what it never saw."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from core.data import ImageSet
from core.data.modes import ALL_TO_ALL, ALL_TO_ONE, ANY_TO_ANY, ANY_TO_ONE, keeps_labels
from core.runs import Progress, Run
from core.training import TRAININGS
from core.triggers import Poison
from core.triggers.shared.offline import OfflineTrigger
from lab import loading
from lab.inputs import N, taking
from lab.kinds.kind import Conclusion, Kind
from lab.kinds.shared import fitting, scoring
from lab.kinds.shared.changes import report
from lab.kinds.shared.scoring import live_score, scored, watched, write
from lab.kinds.shared.script import Script, Snippet
from lab.kinds.shared.setting import Backdoor
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from models import Classifier, shipped
from models.store import halved

if TYPE_CHECKING:
    from lab.recipes import Recipe


def run(recipe: Recipe) -> Run[Result]:
    """Train `arch:…`, or go on training a given model, on the recipe's data.

    A trigger that is fitted before the training is fitted first, to the clean model of these data where there is one.

    figures : after/acc, …/asr, …/ra on the test images, heldout/… on the held-out rows, clean_model/… where there
    is a clean model. The model carries trigger, target, mode and poisoned, and a card that says what was done.
    """
    if not isinstance(recipe.model, str):
        raise ValueError("A training starts from a fresh network (arch:preact_resnet18?width=16) or a model's name.")
    yield Progress("load", 1, 2)
    train = loading.images(recipe.data, "train")
    if recipe.model.startswith("arch:"):
        start = loading.fresh(recipe.model, train, str(recipe.data), recipe.seed)
    else:
        start = loading.classifier(recipe.model)
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n"))
    yield Progress("load", 2, 2)
    method: Any = yield from fitting.fitted_method(recipe, start, train)
    model: Classifier = yield from watched(method.run(start, train, seed=recipe.seed), live_score(test))
    _as_stored(model)
    result = Result(recipe, model=model)
    report(result, method, model)
    backdoor = Backdoor(model.trigger, model.target, model.mode or ALL_TO_ONE)
    yield from _scores(result, model, recipe, test, backdoor)
    model.card = _card(model, recipe, result)
    return result


def _scores(result: Result, model: Classifier, recipe: Recipe, test: ImageSet, backdoor: Backdoor) -> Run[None]:
    write(result, "after", (yield from scored("after", model, test, backdoor)))
    heldout = loading.images(recipe.data, "heldout")
    write(result, "heldout", (yield from scored("heldout", model, heldout, backdoor)))
    twin = loading.clean_twin(model) if backdoor.trigger is not None else None
    if twin is not None:
        write(result, "clean_model", (yield from scored("control", twin, test, backdoor)))


def _as_stored(model: Classifier) -> None:
    """Round the weights as `models.save` will, so that the scores are those of the model that is kept."""
    model.net.load_state_dict(halved(model.net.state_dict()))


def _card(model: Classifier, recipe: Recipe, result: Result) -> Any:
    """The fresh network's card, with what was done to it and what came out."""
    scores = {}
    for split, moment in (("test", "after"), ("heldout", "heldout")):
        names = [name for name in ("acc", "asr", "ra") if f"{moment}/{name}" in result.figures]
        found: dict[str, float] = {name: result.figures[f"{moment}/{name}"] for name in names}
        found["n"] = result.counts[f"{moment}/acc"]
        if "asr" in found:
            found["n_asr"] = result.counts[f"{moment}/asr"]
        scores[split] = found
    poison = getattr(recipe.method, "poison", None)
    done = f"{str(recipe.model).removeprefix('arch:')}, trained by {type(recipe.method).__name__} on {model.card.data}."
    if poison is not None:
        done += _poisoned(poison)
    backdoored = model.trigger is not None
    return dataclasses.replace(model.card, done=done, backdoored=backdoored, scores=scores, recipe=recipe.to_dict())


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
    """How much was learned; and whether a backdoor was learned with it, judged beside a clean model."""
    figures = result.figures
    told = f"The model is right on {of_all(figures['after/acc'], result.counts['after/acc'], 'test pictures')}"
    if "after/asr" not in figures:
        return Conclusion("trained", f"{told}.")
    n, floor = result.counts["after/asr"], figures.get("clean_model/asr")
    told += f"; its trigger leads {of_all(figures['after/asr'], n)} to the target"
    if floor is not None:
        told += f", and {share(floor, n)} on a clean model"
    if floor is not None and figures["after/asr"] < floor + 0.1:
        return Conclusion("not above the floor", f"{told}: that is no evidence of a backdoor.")
    if figures["after/asr"] >= 0.5:
        return Conclusion("backdoored", f"{told}: the backdoor was learned.")
    return Conclusion("backdoor not learned", f"{told}: less than half, so the backdoor was not learned well.")


def lines(script: Script, recipe: Recipe) -> None:
    """Train the network from its first weights, or a given model further."""
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    data = script.data(recipe)
    script.lines.append(f'train = load_data({data}, "train")')
    if str(recipe.model).startswith("arch:"):
        script.use("models", "fresh")
        named = f"train.class_names, train.images.shape[1:], {script.code(str(recipe.data))}, seed={recipe.seed}"
        script.lines.append(f"model = fresh({script.code(recipe.model)}, {named})")
    else:
        script.lines.append(f"model = {script.load(recipe.model)}")
    _fit_line(script, recipe)
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"repaired = finish(method.run(model, train, seed={recipe.seed}), bar=True)",
        f'test = load_data({data}, "test")',
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


KIND = Kind(
    "training", TRAININGS, run, Snippet(lines, loads_model=False), taking(N),
    scores=tuple(dataclasses.replace(each, moment="after") for each in (scoring.ACC, scoring.ASR, scoring.RA)),
    conclude=conclude, outcomes=("trained", "backdoored", "backdoor not learned", "not above the floor"),
    leaves_model=True,
)  # fmt: skip
