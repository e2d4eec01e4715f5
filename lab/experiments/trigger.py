"""A trigger on a model: how often it leads to the target, here and on the clean twin."""

from __future__ import annotations

import dataclasses

from torch import nn

from core.data import ImageSet
from core.metrics import any_to_any
from core.networks.predictions import predict
from core.runs import Progress, Run
from core.triggers.shared.cross import cross_accuracy
from core.triggers.shared.trigger import Trigger
from lab import loading, methods
from lab.experiments.pictures import pictures
from lab.experiments.scoring import answered, chunks, scored, triggered, write
from lab.experiments.setting import backdoor, classes_fit, model_of, test_images
from lab.recipes import Recipe
from lab.results import Result


def run(recipe: Recipe) -> Run[Result]:
    """Score `recipe.method` on the recipe's model.

    figures : acc, asr, ra of the model, and clean_model/acc, …/asr, …/ra of its clean twin; of an any-to-any trigger
        asr/<target> and any_to_any too; of one with a brightness-matched control brightened/asr; of one with a wrong
        trigger of its kind cross_acc, the share still called by its true class under that one
    images : of an any-to-any trigger "answers" (1 + K, K, K), counts of true class by prediction: without trigger,
        then with that of each class
    images, per_image : only with the input "images": original, triggered, perturbation; the predictions
    """
    model = yield from model_of(recipe)
    stamped = recipe.replace(inputs=recipe.inputs | {"trigger": methods.to_dict(recipe.method)})
    result, door = Result(recipe), backdoor(stamped, model)
    test = test_images(recipe, model)
    if door.mode == "any-to-any":
        answers = yield from answered("score", model, test, door)
        result.images["answers"], scores = answers, any_to_any.scores(answers[1:], answers[0])
        result.figures["cross_talk"] = any_to_any.cross_talk(answers[1:])
    else:
        scores = yield from scored("score", model, test, door)
    write(result, "", scores)
    if control := getattr(door.trigger, "brightened", None):
        brighter = dataclasses.replace(door, trigger=control)
        write(result, "brightened", (yield from scored("control", model, test, brighter)))
    if isinstance(door.trigger, Trigger) and hasattr(door.trigger, "crossed") and len(test) > 1:
        result.counts["cross_acc"], result.figures["cross_acc"] = yield from _crossed(model, test, door.trigger)
    twin = loading.clean_twin(model)
    if twin is not None and classes_fit(twin, test):
        write(result, "clean_model", (yield from scored("control", twin, test, door)))
    if "images" in recipe.inputs:
        batch = pictures(recipe, model)
        shown = triggered(batch.data, door)
        original = batch.data.pixels
        result.images |= {"original": original, "triggered": shown, "perturbation": shown - original}
        result.per_image |= {
            "index": batch.index, "label": batch.labels.tolist(),
            "before": predict(model, original).argmax(1).tolist(), "after": predict(model, shown).argmax(1).tolist(),
        }  # fmt: skip
    return result


def _crossed(model: nn.Module, data: ImageSet, trigger: Trigger) -> Run[tuple[int, float]]:
    """n and the cross accuracy; a slice of one picture is left out: there is no other to take a trigger from."""
    slices = [part for part in chunks(data) if len(part) > 1]
    hits, n = 0.0, sum(map(len, slices))
    for step, part in enumerate(slices, start=1):
        hits += cross_accuracy(model, part, trigger, seed=step) * len(part)
        yield Progress("control", step, len(slices), model=model)
    return n, hits / n
