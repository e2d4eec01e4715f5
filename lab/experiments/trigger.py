"""A trigger on a model: how often it leads to the target, here and on the clean twin."""

from __future__ import annotations

import dataclasses

from core import cross_talk
from core.metrics import predict
from core.runs import Run
from lab import loading, methods
from lab.experiments.pictures import pictures
from lab.experiments.scoring import answered, scored, triggered, write
from lab.experiments.setting import backdoor, classes_fit, model_of, test_images
from lab.recipes import Recipe
from lab.results import Result


def run(recipe: Recipe) -> Run[Result]:
    """Score `recipe.method` on the recipe's model.

    figures : acc, asr, ra of the model, and clean_model/acc, …/asr, …/ra of its clean twin; of an any-to-any trigger
        asr/<target> and cross_talk too; of one with a brightness-matched control brightened/asr
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
        result.images["answers"], scores = answers, cross_talk.scores(answers[1:], answers[0])
        result.figures["cross_talk"] = cross_talk.cross_talk(answers[1:])
    else:
        scores = yield from scored("score", model, test, door)
    write(result, "", scores)
    if control := getattr(door.trigger, "brightened", None):
        brighter = dataclasses.replace(door, trigger=control)
        write(result, "brightened", (yield from scored("control", model, test, brighter)))
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
