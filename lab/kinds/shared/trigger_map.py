"""The map of a backdoored model for one picture, without and with its trigger."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from core.explain.heatmaps.slow import explained
from core.metrics.localisation import energy_pointing_game
from core.networks.predictions import predict
from core.runs import Run, part
from lab import loading
from lab.kinds.shared.pictures import chosen
from lab.kinds.shared.setting import backdoor_of, method_of, triggered
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

BACKDOORED = "zoo:scenes-badnets"
"""The model whose map is shown where the chosen one has no backdoor."""


def trigger_map(recipe: Recipe, model: Classifier, result: Result) -> Run[None]:
    """Both maps, and how much of them lies on the trigger, into the result; a note where there is no such map."""
    if model.trigger is not None:
        yield from _maps(recipe, model, result)
        return
    other = copy.deepcopy(loading.classifier(BACKDOORED))
    if other.class_names != model.class_names or other.input_size != model.input_size:
        result.notes["trigger"] = (
            f"This model has no backdoor, and {BACKDOORED} knows other classes, so no map of a trigger is shown."
        )
        return
    try:
        yield from _maps(recipe, other, result)
    except ValueError as error:  # such as a layer that only the chosen model has
        result.notes["trigger"] = f"No map of a trigger is shown: {error}"


def _maps(recipe: Recipe, net: Classifier, result: Result) -> Run[None]:
    plain = chosen(net, recipe.data, recipe.inputs.get("images", [0])).data[:1]
    both = torch.cat((plain.pixels, triggered(plain, backdoor_of(recipe.replace(inputs={}), net))))
    answers = predict(net, both).argmax(1)
    maps = yield from part(explained(method_of(recipe).explainer, net, both, answers, recipe.seed), "trigger", 0, 1)
    place = (both[1] - both[0]).abs().amax(0) > 1 / 510
    energy = energy_pointing_game(maps, place.expand(2, -1, -1)).tolist()
    result.images |= {"trigger/original": both, "trigger/map": maps, "trigger/place": place[None]}
    found = {
        "area": float(place.double().mean()), "distance": _distance(maps[1], place), "side": float(place.shape[1]),
        "before": energy[0], "energy": energy[1],
    }  # fmt: skip
    result.figures |= {f"trigger/{name}": value for name, value in found.items() if math.isfinite(value)}
    said = [net.class_names[k] for k in answers.tolist()]
    result.notes |= {"backdoored": net.card.ref, "says plain": said[0], "says triggered": said[1]}


def _distance(heat: Tensor, place: Tensor) -> float:
    """Pixels from the highest value of a map (H, W) to the nearest pixel of `place`."""
    peak = torch.tensor(divmod(int(heat.argmax()), heat.shape[1]), dtype=torch.float64)
    return float((place.nonzero().cpu() - peak).norm(dim=1).min()) if bool(place.any()) else math.inf
