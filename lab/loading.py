"""Models and data, loaded once and shared.

What is handed out here is shared by every thread: models are in eval mode, frozen and on the best device, and
nobody changes them; whoever wants to hook or train one works on a copy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import torch

import models
from core.data import ImageSet, Scenes, load_data
from core.data.digits import built_in
from core.device import best_device
from core.networks.layout import set_layout
from lab import local_folders, run_names
from lab.lru_cache import LRUCache
from lab.own_models import own_models
from lab.running.compute_lock import compute_lock
from lab.settings import settings
from models import Classifier

T = TypeVar("T")


def _remote(name: Any) -> bool:
    """Whether a model or data set may have to be downloaded."""
    return isinstance(name, str) and not built_in(name) and not name.startswith(("zoo:", run_names.PREFIX))


def classifier(ref: str) -> Classifier:
    """The model that `models.load` gives for `ref`, or that the run it names has left, shared: do not change it.

    ModelError for a refused folder, ValueError for a run whose model is not held.
    """
    local_folders.require_allowed(ref)
    if run_names.is_run(ref):
        return _of_run(ref)
    return _shared(classifiers, _load_classifier, ref)


def at_hand(ref: str) -> bool:
    """Whether `classifier(ref)` gives the model at once, or needs no download."""
    return not _remote(ref) or classifiers.get((ref,)) is not None


def _of_run(ref: str) -> Classifier:
    found = own_models.find(run_names.text_of(ref))
    if found is None:
        raise ValueError(
            "This model is what a run leaves, and this server does not hold it: run it again, or choose another model."
        )
    return found


def images(
    data: str | Scenes, split: str, *, limit: int | None = None, seed: int = 0, size: int | None = None
) -> ImageSet:
    """What `load_data` gives, on the best device and shared: do not change it."""
    upper = None if limit is None else 1000 * math.ceil(limit / 1000)  # so that 8 and 400 share one entry
    whole = _shared(image_sets, _load_images, data, split, upper, seed, size)
    return whole if limit is None or limit >= len(whole) else whole[:limit]


def _load_classifier(ref: str) -> Classifier:
    return _placed(models.load(ref)).requires_grad_(False)


def _load_images(data: str | Scenes, split: str, limit: int | None, seed: int, size: int | None) -> ImageSet:
    return load_data(data, split, limit=limit, seed=seed, size=size).to(best_device())


def _shared(cache: LRUCache[T], load: Callable[..., T], *key: Any) -> T:
    """What `load(*key)` gives, now or once, under the compute lock, which what comes over the network does not hold."""
    found = cache.get(key)
    if found is None:
        with compute_lock.released() if _remote(key[0]) else compute_lock:
            found = cache.get_or_make(key, lambda: load(*key))
    return found


classifiers: LRUCache[Classifier] = LRUCache(settings.model_entries)
image_sets: LRUCache[ImageSet] = LRUCache(settings.data_entries)


@functools.cache
def data_commit(data: str | Scenes) -> str:
    """The Hub commit of a data set, "" for built-in pictures, which the code's version pins."""
    if built_in(data):
        return ""
    from core.data.hub import HubSet

    return HubSet.named(str(data)).commit


def clean_twin(model: Classifier) -> Classifier | None:
    """The zoo's clean model of the same data, the floor of every ASR; None where there is none."""
    ref = f"zoo:{model.card.data}-clean"
    if model.card.data and models.shipped(ref):
        return classifier(ref)
    return None


def _placed(model: Classifier) -> Classifier:
    """The model in eval mode, on the best device, in the layout that it is fastest in."""
    return set_layout(model.to(best_device()), torch.zeros(1, *model.input_size)).eval()


def fresh(ref: str, train: ImageSet, data: str, seed: int) -> Classifier:
    """A network with its first weights, for a training on `train`: `arch:NAME?width=16`, see `models.fresh`."""
    shape = train.images.shape
    return _placed(models.fresh(ref, train.class_names, (shape[1], shape[2], shape[3]), data=data, seed=seed))
