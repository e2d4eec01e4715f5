"""What a model says about a few pictures: its classes and its heatmaps, kept by the run and the picture."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.lru_cache import LRUCache
from ui import sidebar
from ui.cache import bring, model_of, pair, run_key

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lab.recipes import Recipe
    from models import Classifier
    from ui.sidebar import Choice


@dataclass(frozen=True)
class Look:
    """What one model says about N pictures.

    images : float (N, C, H, W); maps : raw heatmaps (N, H, W) of the predicted class; shares : softmax (N, K)
    names : classes in the model's words; label : true class of the first picture, None where nobody knows
    """

    images: np.ndarray
    maps: np.ndarray
    shares: np.ndarray
    names: tuple[str, ...]
    label: int | None = None

    def says(self, i: int) -> str:
        """The predicted class of picture i and its share."""
        k = int(self.shares[i].argmax())
        return f"{self.names[k]} {100 * float(self.shares[i, k]):.0f} %"


FEW = {"steps": 10, "samples": 10, "masks": 200}
"""Passes of the methods that take many of them, so that a page is drawn at once."""


def look(model: nn.Module, images: Tensor, explainer: str, label: int | None = None) -> Look:
    """Predictions and heatmaps of `images` (N, C, H, W); the caller holds the compute lock."""
    from core.knobs import knobs_of
    from core.networks.predictions import predict
    from lab.methods import find

    shares = predict(model, images).softmax(1)
    cls: Any = find(explainer)
    few = {k.name: FEW[k.name] for k in knobs_of(cls) if k.name in FEW}
    maps = cls(**few)(model, images, shares.argmax(1))
    names = tuple(getattr(model, "class_names", ())) or tuple(str(k) for k in range(shares.shape[1]))
    seen, heat, sure = (t.detach().float().cpu().numpy() for t in (images, maps, shares))
    return Look(seen, heat, sure, names, label)


_seen: LRUCache[Look] = LRUCache(256)


def looked(models: Mapping[str, nn.Module], images: Tensor, images_key: str) -> list[Look]:
    """`look` of each of some models, kept by its key, that of the run that left it, and by what names the pictures.

    The compute lock is waited for once for all of them, and not at all where they are known: a job's next step goes
    before whoever comes back.
    """
    from lab.running.compute_lock import compute_lock

    def of(key: str) -> Look:
        return _seen.get_or_make((key, images_key, method), lambda: look(models[key], images, method))

    method = sidebar.chosen().heatmap
    known = all(_seen.get((key, images_key, method)) is not None for key in models)
    with nullcontext() if known else compute_lock:
        return [of(key) for key in models]


def before_and_now(start: Classifier, job: Any, images: Tensor, images_key: str) -> tuple[Look, Look | None]:
    """What the model says before a job, and as it stands in it, or once it has ended; None before it has one."""
    models: dict[str, nn.Module] = {f"model {start.card.ref}": start}
    if job is not None and job.result is not None and job.result.model is not None:
        models[run_key(job.key, job.result)] = job.result.model
    seen, *after = looked(models, images, images_key)
    return seen, after[0] if after else _moving(job, images)


def _moving(job: Any, images: Tensor) -> Look | None:
    """What the model says as it stands in a running job; None where there is none, or it does not move."""
    from lab.kinds.shared.scoring import STILL

    now = None if job is None or job.ended else job.progress
    moving = now.model if now is not None and now.stage not in STILL else None
    if moving is None:
        return None
    from lab.methods import find
    from lab.running.compute_lock import compute_lock

    method = sidebar.chosen().heatmap
    if hasattr(find(method), "run"):  # the job would wait for it again and again
        return None
    with compute_lock:  # between two steps: the model is whole
        try:
            return look(moving, images, method)
        except ValueError:  # a model whose loss has run away has no finite logits; the run itself will say so
            return None


def stamped_look(recipe_json: str, explainer: str = sidebar.HEATMAP) -> Look:
    """The recipe's first picture without and with its method, a trigger, as the recipe's model sees both."""
    from lab.recipes import Recipe

    recipe = Recipe.from_json(recipe_json)
    if isinstance(recipe.data, str):
        bring(recipe.data, recipe.inputs["images"] if isinstance(recipe.inputs.get("images"), str) else "")
    from lab.running.compute_lock import compute_lock

    key = recipe_json, explainer
    found = _seen.get(key)
    if found is None:
        with compute_lock:
            found = _seen.get_or_make(key, lambda: _stamped_look(recipe, explainer))
    return found


def _stamped_look(recipe: Recipe, explainer: str) -> Look:
    import torch

    from lab.kinds.shared.pictures import pictures
    from lab.kinds.shared.setting import backdoor_of, triggered

    model = model_of(recipe)
    batch = pictures(recipe, model)
    both = torch.cat((batch.data.pixels[:1], triggered(batch.data[:1], backdoor_of(recipe, model))))
    return look(model, both, explainer, None if batch.own_words else int(batch.labels[0]))


def own_look(ref: str, data: str, index: int) -> Look:
    """A test picture without and with the model's own trigger, else BadNets, as that model sees both."""
    from core.triggers import BadNets
    from lab.loading import classifier
    from lab.recipes import Recipe

    trigger = classifier(ref).trigger or BadNets()
    return stamped_look(Recipe(trigger, ref, data, {"images": [index]}).to_json())


def three(recipe: Recipe, choice: Choice, start: Classifier, result: Any) -> dict[str, Look]:
    """The chosen picture, without and with trigger, before, after (where there is a result) and on a clean model."""
    from lab.loading import clean_twin

    models: dict[str, nn.Module] = {f"model {start.card.ref}": start}
    names = ["before"]
    if result is not None and result.model is not None:
        models[run_key(recipe.key(), result)] = result.model
        names.append("after")
    twin = clean_twin(start)
    if twin is not None and twin is not start:
        models[f"model {twin.card.ref}"] = twin
        names.append("clean model")
    return dict(zip(names, looked(models, pair(recipe, choice), f"{choice} {start.card.ref}"), strict=True))


def tensors(*looks: Look) -> tuple[Tensor, Tensor]:
    """Images and maps of several looks, stacked, as `images.heat` takes them."""
    import torch

    images = torch.cat([torch.from_numpy(one.images) for one in looks])
    return images, torch.cat([torch.from_numpy(one.maps) for one in looks])
