"""A heatmap: what in each picture speaks for a class."""

from __future__ import annotations

import copy
from typing import Any

import torch

from core.networks.predictions import predict
from core.runs import Progress, Run
from lab.experiments.pictures import pictures
from lab.experiments.setting import model_of
from lab.recipes import Recipe
from lab.results import Result


def run(recipe: Recipe) -> Run[Result]:
    """Explain the recipe's pictures for the input "target", or for what the model says.

    images : original, and map (N, H, W), raw and signed; per_image : index, label, before (the model's answer)
    """
    model = yield from model_of(recipe)
    batch = pictures(recipe, model)
    method: Any = recipe.method
    answers = predict(model, batch.data.pixels).argmax(1)
    target = recipe.inputs.get("target")
    targets = answers if target is None else torch.full_like(answers, target)
    private = copy.deepcopy(model)  # an explainer may hook its model; the shared one is everybody's
    maps = method(private, batch.data.pixels, targets)
    yield Progress("explain", 1, 1)
    result = Result(recipe, images={"original": batch.data.pixels, "map": maps.detach()})
    result.per_image = {"index": batch.index, "label": batch.labels.tolist(), "before": answers.tolist()}
    return result
