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


def hessian_trace(model: nn.Module, images: Tensor, labels: Tensor, *, probes: int, seed: int = 0) -> Run[list[float]]:
    """v' H v for `probes` random signs v, whose mean estimates tr H (Hutchinson, 1990).

    H is the Hessian of the mean cross-entropy on `images` (N, C, H, W) with `labels` (N,), which stay as they are,
    with respect to the weights outside normalisation layers; ReLU's second derivative is taken as 0. The same seed
    gives the same signs.
    """
    generator = torch.Generator().manual_seed(seed)
    found: list[float] = []
    for probe in range(1, probes + 1):
        signs = [
            (torch.randint(0, 2, weight.shape, generator=generator) * 2 - 1).to(weight)
            for weight in movable(model).values()
        ]
        values = in_batches(partial(_curvature, model, signs), images, labels, size=128)
        found.append(values.double().sum().item() / len(images))
        yield Progress("trace", probe, probes)
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
