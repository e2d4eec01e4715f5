"""How long a model takes for one picture, measured once on this machine."""

from __future__ import annotations

import functools
import time

import torch

import models
from core.device import device_of
from lab import loading
from lab.running.compute_lock import compute_lock, cores
from models import Classifier
from models.peek import plan_of

PIXELS = 64 * 32 * 32
"""Of the batch that is measured: 64 pictures of 32 pixels, one of 224."""
SHORT = 0.2
"""Seconds: a first pass that took no longer is measured twice more, without what only a first one needs."""

Shape = tuple[str, int, tuple[int, ...]]
"""What a pass takes depends on: the architecture, the number of its parameters, the size of its input."""

_known: dict[tuple[Shape, int], float] = {}


class NotMeasured(ValueError):
    """A model's pass has not been measured, and the machine computes something else just now."""


def seconds_per_picture(ref: str, threads: int, *, wait: bool = True) -> float:
    """Seconds of a forward and a backward pass to the pixels, for each picture of a batch, on so many cores.

    Measured once for all models of the same shape. Without `wait`, NotMeasured where that would wait for a running job.
    """
    key = _shape(ref), threads
    if key not in _known:
        # Visitors who come at once wait for one measurement.
        with compute_lock if wait else compute_lock.if_free() as free:
            if not free:
                raise NotMeasured("How long this model takes is not known yet; ask again when nothing else runs.")
            if key not in _known:
                _known[key] = _measured(loading.classifier(ref), threads)
    return _known[key]


def _shape(ref: str) -> Shape:
    """Of a shipped model without loading it."""
    card = models.shipped(ref)
    if card is not None:
        return card.architecture, card.parameters, _input_size(ref, card.sha)
    model = loading.classifier(ref)
    return model.card.architecture, model.card.parameters, model.input_size


@functools.lru_cache(maxsize=64)
def _input_size(ref: str, sha: str) -> tuple[int, ...]:
    return plan_of(ref).input_size


def _measured(model: Classifier, threads: int) -> float:
    channels, height, width = model.input_size
    n = max(1, PIXELS // (height * width))
    batch = torch.full((n, channels, height, width), 0.5, device=device_of(model), requires_grad=True)
    with cores(threads):
        took = [_pass(model, batch)]
        if took[0] < SHORT:
            took += [_pass(model, batch) for _ in range(2)]
    return min(took) / n


def _pass(model: Classifier, batch: torch.Tensor) -> float:
    start = time.perf_counter()
    (gradient,) = torch.autograd.grad(model(batch).sum(), batch)
    float(gradient.flatten()[0])  # a GPU answers when it has finished
    return time.perf_counter() - start
