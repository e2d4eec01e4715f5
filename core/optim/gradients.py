"""Gradients of a batch's mean loss, in as many parts as the memory asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from core.device import autocast, device_of
from core.networks.layout import laid_out


def backward(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Add the gradient of `loss(model(images), labels)` (a mean over the batch) to the parameters' `.grad`, and to
    that of the images where they ask for one.

    Runs under autocast where that pays. When the device runs out of memory the batch is cut in
    halves whose gradients add up to the same mean; batch norm then sees the halves. Returns the
    detached loss.
    """
    parts = 1
    kept = {leaf: leaf.grad for leaf in (images, *model.parameters()) if leaf.is_leaf}
    while True:
        try:
            total = torch.zeros((), device=images.device)
            pieces = zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True)
            for some_images, some_labels in pieces:
                share = len(some_images) / len(images)
                with autocast(device_of(model)):
                    value = share * loss(model(laid_out(model, some_images)), some_labels)
                value.backward()
                total += value.detach()
            return total
        except torch.OutOfMemoryError:
            if parts >= len(images):
                raise
            parts *= 2
            for leaf, grad in kept.items():
                leaf.grad = grad


def mean_in_parts(function: Callable[..., Sequence[Tensor]], *tensors: Tensor) -> list[Tensor]:
    """`function(*tensors)`, whose results are means over the batch, in as many parts as the memory asks for.

    `tensors` have the batch in their first dimension; the results (any shapes: a loss and its
    gradients) are detached. When the device runs out of memory the batch is cut in halves and the
    results are averaged, each part by its share of the batch.
    """
    whole, parts = len(tensors[0]), 1
    while True:
        try:
            total: list[Tensor] = []
            for part in zip(*(tensor.tensor_split(parts) for tensor in tensors), strict=True):
                share = len(part[0]) / whole
                found = [share * result.detach() for result in function(*part)]
                total = [a + b for a, b in zip(total, found, strict=True)] if total else found
            return total
        except torch.OutOfMemoryError:
            if parts >= whole:
                raise
            parts *= 2
