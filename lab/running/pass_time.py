"""How long a model takes for one picture, measured once on this machine."""

from __future__ import annotations

import time

import torch

from core.device import device_of
from lab import loading
from lab.running.compute_lock import compute_lock, cores
from models import Classifier

PIXELS = 64 * 32 * 32
"""Of the batch that is measured: 64 pictures of 32 pixels, one of 224."""
SHORT = 0.2
"""Seconds: a first pass that took no longer is measured twice more, without what only a first one needs."""

_known: dict[tuple[str, int], float] = {}


def seconds_per_picture(ref: str, threads: int) -> float:
    """Seconds of a forward and a backward pass to the pixels, for each picture of a batch, on so many cores.

    Measured once, and kept by the model's sha.
    """
    model = loading.classifier(ref)
    key = model.card.sha, threads
    if key not in _known:
        with compute_lock:  # visitors who come at once wait for one measurement
            if key not in _known:
                _known[key] = _measured(model, threads)
    return _known[key]


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
