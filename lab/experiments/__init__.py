"""How a recipe of each kind is run: load, drive `core`, score, and say what came out."""

from __future__ import annotations

import importlib
import time

from core.device import best_device
from core.runs import Run
from lab import keys
from lab.recipes import Recipe
from lab.results import Curve, Result

RUNNERS = ("attack", "defense", "detector", "explainer", "injection", "ranking", "reactivation", "training", "trigger")
"""Each kind's runner is the function `run(recipe)` of the module of that name."""


def run(recipe: Recipe) -> Run[Result]:
    """The experiment that `recipe` describes. First progress comes at once, before anything is loaded."""
    if recipe.kind not in RUNNERS:
        raise ValueError(f"{type(recipe.method).__name__} is a {recipe.kind} and cannot be run by itself.")
    runner = importlib.import_module(f"lab.experiments.{recipe.kind}").run
    return _timed(recipe, runner(recipe))


def _timed(recipe: Recipe, experiment: Run[Result]) -> Run[Result]:
    """Record the curve, the time and the versions around an experiment."""
    curve, start = Curve(), time.monotonic()
    try:
        while True:
            try:
                progress = next(experiment)
            except StopIteration as end:
                result: Result = end.value
                break
            curve.note(progress)
            yield progress
    finally:
        experiment.close()
    result.curve, result.seconds = curve.points, time.monotonic() - start
    result.images = {name: image.detach().cpu() for name, image in result.images.items()}
    result.device, result.versions = device_name(), keys.versions(recipe)
    return result


def device_name() -> str:
    """What computed: "cuda: NVIDIA H200", or "cpu" with its number of threads."""
    import torch

    device = best_device()
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}, {torch.get_num_threads()} threads"
