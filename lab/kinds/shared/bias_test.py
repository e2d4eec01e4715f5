"""The bias test: what a network answers as backgrounds change, and what its heatmaps show of the object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from core.data import ImageSet, Scenes
from core.data.backgrounds import CHALLENGE, ORIGINAL, RANDOM, on_background
from core.data.scenes import GENERATED, generated
from core.device import best_device
from core.explain import GradCAM
from core.metrics.background import background_scores
from core.metrics.confusion import correct
from core.metrics.localisation import energy_pointing_game, masks_of
from core.networks.predictions import predict
from core.runs import Progress, Run

KEYS = dict(zip(CHALLENGE, ("acc", "same", "shuffled", "object", "background"), strict=True))
"""The figure of each set."""
MAPPED = 300
"""Pictures whose heatmaps are held against the masks of their objects."""


def scenes_of(data: Any) -> Scenes:
    """The generated data that a recipe names; ValueError where backgrounds cannot be exchanged."""
    found = generated(data)
    if found is None:
        raise ValueError(
            f"{data} has no masks of its objects, and its backgrounds cannot be exchanged; choose generated data: "
            f"{' or '.join(GENERATED)}."
        )
    return found


def sets_of(scenes: Scenes, n: int | None) -> Run[dict[str, ImageSet]]:
    """The sets of the background challenge with the first n test pictures, on the best device."""
    found = {}
    for step, name in enumerate(CHALLENGE, start=1):
        found[name] = on_background(name, scenes, "test", n).to(best_device())
        yield Progress("load", step, len(CHALLENGE))
    return found


def tested(stage: str, model: nn.Module, sets: Mapping[str, ImageSet]) -> Run[tuple[dict[str, float], dict[str, int]]]:
    """Figures by KEYS, "gap" (BG-Gap) and "epg" with their n. "epg" is the energy pointing game of Grad-CAM for the
    true class, on pictures of shuffled backgrounds; it is left out where no map has anything positive."""
    yield Progress(stage, 1, 2, model=model)
    scores = background_scores(model, sets)
    figures = {KEYS[name]: share for name, share in scores.accuracy.items()} | {"gap": scores.gap}
    counts = dict.fromkeys(figures, scores.n)
    part = sets[RANDOM][:MAPPED]
    inside = energy_pointing_game(GradCAM()(model, part.pixels, part.labels), masks_of(part))
    if bool((known := ~torch.isnan(inside)).any()):
        figures["epg"], counts["epg"] = inside[known].mean().item(), int(known.sum())
    yield Progress(stage, 2, 2, model=model)
    return figures, counts


def glance(model: nn.Module, sets: Mapping[str, ImageSet], n: int) -> dict[str, float]:
    """Accuracy as it is and on shuffled backgrounds, on the first n pictures, as metrics of a progress."""
    few = {name: sets[name][:n] for name in (ORIGINAL, RANDOM)}
    shares = {KEYS[name]: correct(predict(model, data.images), data.labels) for name, data in few.items()}
    return shares | {"n": len(few[ORIGINAL])}
