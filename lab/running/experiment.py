"""One experiment from its recipe to its result, with its curve, its time and the versions behind it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from core.data.hub import halves
from core.device import best_device
from core.optim.gradients import MICRO_BATCH
from core.runs import Progress, Run, mapped, until
from lab import cache_key, fit
from lab.results import Result
from lab.running.curve import Curve
from lab.running.pace import paces
from lab.running.stopped import stopped

if TYPE_CHECKING:
    from lab.recipes import Recipe

SPLIT = (
    "Memory ran out, so the training computed its batches in parts of at most {:.0f} images and added up their "
    "gradients; a batch norm that was being trained saw the parts, not the whole batch."
)


def run(recipe: Recipe, curve: Curve | None = None) -> Run[Result]:
    """The experiment that `recipe` describes; each moment is noted in `curve` before it is handed on."""
    record = Curve(recipe.kind.scores) if curve is None else curve
    start = time.monotonic()

    parts: set[float] = set()

    def noted(progress: Progress) -> Progress:
        record.note(progress)
        if MICRO_BATCH in progress.metrics:
            parts.add(progress.metrics[MICRO_BATCH])
        return progress

    fit.require(recipe)
    result = yield from _cut(mapped(recipe.kind.run(recipe), noted), recipe, record)
    if parts:
        result.notes["memory"] = SPLIT.format(min(parts))
    result.curve, result.seconds = record.points, time.monotonic() - start
    with suppress(ValueError):  # what is in memory needs no Hub
        result.notes |= {"split": said} if (said := halves(recipe.data)) else {}
    if not result.stopped:
        paces.learn(recipe, record.points)
    result.images = {name: image.detach().cpu() for name, image in result.images.items()}
    result.device, result.versions = device_name(), cache_key.versions(recipe)
    return result


def _cut(run: Run[Result], recipe: Recipe, record: Curve) -> Run[Result]:
    """The run, ended after the recipe's "moments" as by whoever pressed Stop then."""
    latest: Progress | None = None

    def over(progress: Progress) -> bool:
        nonlocal latest
        latest = progress
        return record.moments == recipe.inputs.get("moments")

    result = yield from until(run, over)
    return stopped(recipe, record.points, latest, record.moments) if result is None else result


def device_name() -> str:
    """What computed: "cuda: NVIDIA H200", or "cpu" with its number of threads."""
    import torch

    device = best_device()
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}, {torch.get_num_threads()} threads"
