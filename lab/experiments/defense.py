"""A repair: scores before, the run with its scores as it goes, scores after, and the controls."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.data import ImageSet
from core.metrics import der, evaluate, rir
from core.networks.predictions import predict
from core.runs import Run
from lab import loading
from lab.experiments.scoring import confusions, live_set, metrics_of, scored, triggered, watched, write
from lab.experiments.setting import Backdoor, backdoor, model_of, size_of, test_images
from lab.recipes import Recipe
from lab.results import Result

EXAMPLES = 12
"""Test images whose predictions before and after are listed one by one."""


def run(recipe: Recipe) -> Run[Result]:
    """Repair the recipe's model.

    figures : before/…, after/… and clean_model/… (acc, asr, ra), der, rir, and the method's own numbers as report/…
    images : confusion/before, confusion/after, and the same with /triggered; original and triggered examples
    per_image : "index", "label" and the predictions "before", "after", "before/triggered", "after/triggered"
    """
    model = yield from model_of(recipe)
    result, door = Result(recipe), backdoor(recipe, model)
    test = test_images(recipe, model)
    clean = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    before = yield from scored("before", model, test, door)
    write(result, "before", before)
    live = live_set(test)

    def score(now: nn.Module) -> dict[str, float]:
        return metrics_of(evaluate(now, live, **door.arguments))

    method: Any = recipe.method
    extra = {}
    if getattr(method, "selection", "") == "oracle":
        extra["oracle"] = lambda now: score(now).get("asr", 0.0)
    repaired = yield from watched(method.run(model, clean, seed=recipe.seed, **extra), score)
    result.model = repaired.eval().requires_grad_(False)
    after = yield from scored("after", repaired, test, door)
    write(result, "after", after)
    if before.asr is not None:
        result.figures |= {"der": der(before, after), "rir": rir(before, after)}
    yield from _controls(result, model, test, door)
    yield from _tables(result, model, test, door)
    examples(result, model, test, door)
    report(result, method, repaired)
    return result


def _controls(result: Result, model: Any, test: ImageSet, door: Backdoor) -> Run[None]:
    """The trigger on the clean twin: what an ASR is worth."""
    twin = loading.clean_twin(model) if door.trigger is not None else None
    if twin is None or len(twin.class_names) != len(test.class_names):
        result.notes["controls"] = "There is no clean model of these data to try the trigger on."
        return
    write(result, "clean_model", (yield from scored("control", twin, test, door)))


def _tables(result: Result, model: nn.Module, test: ImageSet, door: Backdoor) -> Run[None]:
    assert result.model is not None
    for moment, net in (("before", model), ("after", result.model)):
        tables = yield from confusions("tables", net, test, door)
        for name, table in tables.items():
            result.images[f"confusion/{moment}" + ("" if name == "clean" else "/triggered")] = table


def examples(result: Result, model: nn.Module, test: ImageSet, door: Backdoor) -> None:
    """The first test images whose class is not the target, with the predictions of both models."""
    assert result.model is not None
    chosen = torch.nonzero(test.labels != (-1 if door.target is None else door.target))[:EXAMPLES, 0]
    shown = test[chosen]
    result.images["original"] = shown.pixels
    result.per_image |= {"index": chosen.tolist(), "label": shown.labels.tolist()}
    views: dict[str, Tensor] = {"": shown.pixels}
    if door.trigger is not None:
        views["/triggered"] = result.images["triggered"] = triggered(shown, door)
    for name, pictures in views.items():
        for moment, net in (("before", model), ("after", result.model)):
            result.per_image[moment + name] = predict(net, pictures).argmax(1).tolist()


def report(result: Result, method: Any, repaired: nn.Module) -> None:
    """What the method says about itself: single numbers as figures, the rule it chose by as a note."""
    for name, value in getattr(repaired, "report", {}).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            result.figures[f"report/{name}"] = float(value)
    rule = getattr(method, "selection", "")
    if rule:
        result.notes["selection"] = "oracle: it peeked at the attack's success" if rule == "oracle" else rule
