"""Models and data, loaded once and shared.

What is handed out here is shared by every thread: models are in eval mode, frozen and on the best device, and
nobody changes them; whoever wants to hook or train one works on a copy.
"""

from __future__ import annotations

import functools
import math
import threading
from urllib.parse import parse_qsl

import torch

import models
from core.data import ImageSet, Scenes, load_data
from core.device import best_device
from lab.settings import settings
from models import Card, Classifier

_loading = threading.RLock()


def classifier(ref: str) -> Classifier:
    """The model that `models.load` gives for `ref`, shared: do not change it."""
    with _loading:  # two visitors who open the same page load once
        return _classifier(ref)


@functools.lru_cache(settings.model_entries)
def _classifier(ref: str) -> Classifier:
    model = models.load(ref).to(best_device(), memory_format=torch.channels_last)
    return model.eval().requires_grad_(False)


def images(data: str | Scenes, split: str, *, limit: int | None = None, seed: int = 0, size: int | None = None) -> ImageSet:
    """What `load_data` gives, on the best device and shared: do not change it."""
    upper = None if limit is None else 1000 * math.ceil(limit / 1000)  # so that 8 and 400 share one entry
    with _loading:
        whole = _images(data, split, upper, seed, size)
    return whole if limit is None or limit >= len(whole) else whole[:limit]


@functools.lru_cache(settings.data_entries)
def _images(data: str | Scenes, split: str, limit: int | None, seed: int, size: int | None) -> ImageSet:
    return load_data(data, split, limit=limit, seed=seed, size=size).to(best_device())


@functools.cache
def data_commit(data: str | Scenes) -> str:
    """The Hub commit of a data set, "" for generated pictures, which the code's version pins."""
    if isinstance(data, Scenes) or data == "scenes":
        return ""
    from core.data.hub import HubSet

    return HubSet.named(data).commit


def clean_twin(model: Classifier) -> Classifier | None:
    """The zoo's clean model of the same data, the floor of every ASR; None where there is none."""
    ref = f"zoo:{model.card.data}-clean"
    if model.card.data and any(card.ref == ref for card in models.available()):
        return classifier(ref)
    return None


def fresh(ref: str, train: ImageSet, data: str, seed: int) -> Classifier:
    """A network with its first weights, for a training: `arch:NAME?width=16`.

    NAME is any architecture that timm knows (ours are registered with it); what follows "?" are arguments of its
    constructor. The weights are drawn by `seed`; mean and standard deviation are those of `train`.
    """
    import timm

    name, arguments = parse_architecture(ref)
    names = train.class_names
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = timm.create_model(name, num_classes=len(names), in_chans=train.images.shape[1], **arguments)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{ref} names no network that can be built: {error}.") from None
    pixels = train.images[:5000].float().div(255)
    mean, std = pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))
    card = Card(
        ref, "trained here", data=data, done="not trained yet", architecture=name, num_classes=len(names),
        parameters=sum(p.numel() for p in net.parameters()),
    )  # fmt: skip
    model = Classifier(
        net, mean=_rounded(mean), std=_rounded(std), class_names=names,
        input_size=(train.images.shape[1], train.images.shape[2], train.images.shape[3]), card=card,
    )  # fmt: skip
    return model.to(best_device(), memory_format=torch.channels_last).eval()


def parse_architecture(ref: str) -> tuple[str, dict[str, int | float | str]]:
    """Name and constructor arguments of `arch:preact_resnet18?width=16`."""
    if not ref.startswith("arch:"):
        raise ValueError(f"model = {ref!r}: a training starts from a fresh network such as arch:preact_resnet18?width=16.")
    name, _, query = ref.removeprefix("arch:").partition("?")
    return name, {key: _number(text) for key, text in parse_qsl(query)}


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _rounded(values: torch.Tensor) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values.tolist())
