"""Hutchinson's estimate of the trace of the loss's Hessian, a measure of sharpness that depends on scale."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import in_batches
from core.flatness.weights import movable
from core.networks.layout import laid_out
from core.networks.model_state import frozen
from core.runs import Progress, Run

CHUNK = 64
"""Pictures whose second derivatives are taken at once."""


def hessian_trace(model: nn.Module, images: Tensor, labels: Tensor, *, probes: int, seed: int = 0) -> Run[list[float]]:
    """v' H v for `probes` random signs v, whose mean estimates tr H (Hutchinson, 1990).

    H is the Hessian of the mean cross-entropy on `images` (N, C, H, W) with `labels` (N,), which stay as they are,
    with respect to the weights outside normalisation layers; ReLU's second derivative is taken as 0. The same seed
    gives the same signs.
    """
    generator = torch.Generator().manual_seed(seed)
    pieces = list(zip(images.split(CHUNK), labels.split(CHUNK), strict=True))
    found: list[float] = []
    for probe in range(probes):
        signs = [
            (torch.randint(0, 2, weight.shape, generator=generator) * 2 - 1).to(weight)
            for weight in movable(model).values()
        ]
        total = 0.0
        for done, (some, classes) in enumerate(pieces, start=1):
            total += in_batches(partial(_curvature, model, signs), some, classes, size=CHUNK).double().sum().item()
            yield Progress("trace", probe * len(pieces) + done, probes * len(pieces))
        found.append(total / len(images))
    return found


def _curvature(model: nn.Module, signs: list[Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """v' H v of the summed loss, (1,)."""
    with frozen(model), torch.enable_grad():
        weights = list(movable(model).values())
        for weight in weights:
            weight.requires_grad_(True)
        loss = F.cross_entropy(model(laid_out(model, images)), labels, reduction="sum")
        slopes = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
        along = torch.stack([(slope * sign).sum() for slope, sign in zip(slopes, signs, strict=True)]).sum()
        twice = torch.autograd.grad(along, weights, materialize_grads=True)
    return torch.stack([(second * sign).sum() for second, sign in zip(twice, signs, strict=True)]).sum()[None].detach()
