"""The weights that are moved, balls around them, and directions through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.networks.layout import training_copy

NORMALISATIONS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Modules whose scale and shift stay as they are: the layer before a norm may have any scale, so a ball around
the norm's own parameters would mean something else in every network."""

Net = TypeVar("Net", bound=nn.Module)


def own_copy(model: Net, images: Tensor) -> Net:
    """A copy to move the weights of: the model that is passed in is shared, and is never seen moved."""
    return training_copy(model, images).requires_grad_(False)


def movable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Every parameter by name but those of normalisations, told by the module's type.

    Raises ValueError where there is none.
    """
    fixed = {id(p) for module in model.modules() if isinstance(module, NORMALISATIONS) for p in module.parameters()}
    found = {name: p for name, p in model.named_parameters() if id(p) not in fixed and p.is_floating_point()}
    if not found:
        raise ValueError("The model has no weights outside its normalisation layers, so there is nothing to move.")
    return found


def lengths(weights: Sequence[Tensor]) -> list[float]:
    """||w_l||_2 of each tensor."""
    return torch.stack([weight.detach().float().norm() for weight in weights]).tolist()


def on_spheres(weights: Sequence[Tensor], radii: Sequence[float], generator: torch.Generator) -> list[Tensor]:
    """One random offset v_l per tensor, uniform in direction, with ||v_l||_2 = radii[l].

    Drawn on the CPU, so that the same seed gives the same directions on every device.
    """
    found = []
    for weight, radius in zip(weights, radii, strict=True):
        noise = torch.randn(weight.shape, generator=generator)
        found.append((radius * (noise / noise.norm().clamp_min(1e-12))).to(weight))
    return found


def filter_normalised(weights: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """One direction d_l per tensor: Gaussian, each filter scaled to its own weights, ||d_lj|| = ||w_lj||.

    A filter is a slice of the first dimension of a tensor with more than one; biases have direction 0.
    Li et al., NeurIPS 2018, https://arxiv.org/abs/1712.09913.
    """
    found = []
    for weight in weights:
        noise = torch.randn(weight.shape, generator=generator).to(weight)
        if weight.ndim < 2:
            found.append(torch.zeros_like(noise))
            continue
        shape = (-1, *[1] * (weight.ndim - 1))
        own, drawn = weight.flatten(1).norm(dim=1), noise.flatten(1).norm(dim=1)
        found.append(noise * (own / (drawn + 1e-10)).view(shape))
    return found
