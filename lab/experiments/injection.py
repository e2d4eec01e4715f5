"""A weight-space injection: scores before and after, and how little the weights moved."""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import Tensor, nn

from core.data import ImageSet
from core.metrics import evaluate
from core.networks.predictions import predict
from core.runs import Progress, Run
from lab import loading, methods
from lab.experiments.defense import examples, report
from lab.experiments.scoring import chunks, live_set, metrics_of, scored, watched, write
from lab.experiments.setting import Backdoor, backdoor_to_try, model_of, size_of, test_images
from lab.recipes import Recipe
from lab.results import Result
from models import Classifier


def run(recipe: Recipe) -> Run[Result]:
    """Write a backdoor into the recipe's model; without a trigger of its own or in the inputs, BadNets to class 0.

    figures : before/… and after/… (acc, asr, ra), where before/asr is the trigger's floor on the untouched model;
        "agreement", the share of test images that both models classify alike; the weights' change as report/…
    images : "histogram" (counts) and "histogram/edges" of abs(dw) / abs(w); original and triggered examples
    per_image : as of a defense: "index", "label", "before", "after", "before/triggered", "after/triggered"
    model : the injected one, with trigger, target and mode, so that a defense can go on from it
    """
    model = yield from model_of(recipe)
    result, door = Result(recipe), _door(recipe, model)
    test = test_images(recipe, model)
    clean = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    write(result, "before", (yield from scored("before", model, test, door)))
    live = live_set(test)

    def score(now: nn.Module) -> dict[str, float]:
        return metrics_of(evaluate(now, live, **door.arguments))

    method: Any = recipe.method
    work = method.run(model, clean, trigger=door.trigger, target=door.target, seed=recipe.seed)
    injected: Classifier = yield from watched(work, score)
    injected.card = _card(injected, recipe, door)
    result.model = injected
    write(result, "after", (yield from scored("after", injected, test, door)))
    yield from _agreement(result, model, injected, test)
    examples(result, model, test, door)
    report(result, method, injected)
    for name in ("histogram", "edges"):
        found = injected.report[f"relative/{name}"]
        assert isinstance(found, Tensor)
        result.images["histogram" if name == "histogram" else "histogram/edges"] = found
    return result


def _door(recipe: Recipe, model: Classifier) -> Backdoor:
    """The backdoor to write, one that leads every class to the same target."""
    mode = recipe.inputs.get("mode", "all-to-one")
    if mode != "all-to-one":
        raise ValueError(f"{type(recipe.method).__name__} leads every class to one target; it takes no mode {mode!r}.")
    return backdoor_to_try(recipe.replace(inputs=recipe.inputs | {"mode": mode}), model)


def _agreement(result: Result, model: nn.Module, injected: nn.Module, test: ImageSet) -> Run[None]:
    """The share of the clean test images that both models put into one class."""
    same, slices = 0, chunks(test)
    for step, part in enumerate(slices, start=1):
        same += int((predict(model, part.images).argmax(1) == predict(injected, part.images).argmax(1)).sum())
        yield Progress("agreement", step, len(slices), model=injected)
    result.figures["agreement"], result.counts["agreement"] = same / len(test), len(test)


def _card(model: Classifier, recipe: Recipe, door: Backdoor) -> Any:
    """The model's card, with what was done to it."""
    trigger: Any = door.trigger
    done = (
        f"{model.card.done} {type(recipe.method).__name__} then wrote the trigger {methods.to_dict(trigger)['method']} "
        f"into its weights, to lead to class {door.target}. Backdoored on purpose."
    )
    return dataclasses.replace(model.card, done=done.strip(), backdoored=True)
