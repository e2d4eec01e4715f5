"""Neuron weight change (NWC), and zeroing the weights that changed most.

Lin et al., NeurIPS 2024 (arXiv 2405.20291), stage 1. A neuron is an output channel of a
convolution; its NWC is the L1 distance between its weights before and after clean unlearning.
It is not divided by the number of weights: wide layers weigh more, as in the paper.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from core.networks.channels import neuron_layers, weight_of
from core.networks.model_state import working_copy


def weight_changes(original: nn.Module, unlearned: nn.Module) -> dict[str, Tensor]:
    """abs(w_u - w_o) by layer name, each of the weight's shape (out, in, ...)."""
    return {
        name: (weight_of(unlearned, name) - weight_of(original, name)).detach().abs()
        for name in neuron_layers(original)
    }


def neuron_weight_change(changes: dict[str, Tensor]) -> dict[str, Tensor]:
    """NWC(l, i) = sum over j of abs(w_u[l, i, j] - w_o[l, i, j]): layer name -> (out,)."""
    return {name: change.flatten(1).sum(1) for name, change in changes.items()}


def largest_changes(changes: dict[str, Tensor], k: int = 3) -> dict[str, Tensor]:
    """The k largest terms of each neuron's NWC: layer name -> (out, k), in falling order; fewer where it has fewer."""
    flat = {name: change.flatten(1) for name, change in changes.items()}
    return {name: change.topk(min(k, change.shape[1])).values for name, change in flat.items()}


def marked(changes: dict[str, Tensor], neuron_ratio: float, weight_ratio: float) -> dict[str, Tensor]:
    """The weights to zero: layer name -> bool of the weight's shape.

    Neurons of all layers are ranked together and the floor(n x neurons) with the largest NWC are
    taken; of all their weights together, the floor(m x weights) that changed most. A weight that
    did not change at all is never marked.
    """
    nwc = torch.cat(list(neuron_weight_change(changes).values()))
    chosen = _largest(nwc, neuron_ratio)
    rows = chosen.split([len(change) for change in changes.values()])
    wide = {
        name: row.view(-1, *[1] * (change.ndim - 1)).expand_as(change)
        for (name, change), row in zip(changes.items(), rows, strict=True)
    }
    pool = torch.cat([change[wide[name]] for name, change in changes.items()])
    picked = _largest(pool, weight_ratio) & (pool > 0)
    parts = picked.split([int(mask.sum()) for mask in wide.values()])
    masks = {name: torch.zeros_like(mask, memory_format=torch.contiguous_format) for name, mask in wide.items()}
    for (name, mask), part in zip(masks.items(), parts, strict=True):
        mask[wide[name]] = part
    return masks


def _largest(values: Tensor, share: float) -> Tensor:
    """Bool mask of the floor(share x length) largest values (ties: the first come first)."""
    # The tiny addend keeps 0.15 x 4000 = 599.9999… from losing one.
    count = math.floor(share * len(values) + 1e-9)
    order = values.argsort(descending=True, stable=True)
    mask = torch.zeros_like(values, dtype=torch.bool)
    mask[order[:count]] = True
    return mask


def reinitialise(model: nn.Module, masks: dict[str, Tensor]) -> nn.Module:
    """A copy of `model` in which the marked weights are zero and nothing else differs."""
    copy = working_copy(model)
    with torch.no_grad():
        for name, mask in masks.items():
            weight_of(copy, name).masked_fill_(mask, 0.0)
    return copy
