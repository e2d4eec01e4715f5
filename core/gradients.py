"""Gradients of a batch's mean loss, in as many parts as the memory asks for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.device import autocast, device_of


def backward(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Add the gradient of `loss(model(images), labels)` (a mean over the batch) to the parameters' `.grad`.

    Runs under autocast where that pays. When the device runs out of memory the batch is cut in
    halves whose gradients add up to the same mean; batch norm then sees the halves. Returns the
    detached loss.
    """
    parts = 1
    kept = {parameter: parameter.grad for parameter in model.parameters()}
    while True:
        try:
            total = torch.zeros((), device=images.device)
            pieces = zip(images.tensor_split(parts), labels.tensor_split(parts), strict=True)
            for some_images, some_labels in pieces:
                share = len(some_images) / len(images)
                with autocast(device_of(model)):
                    value = share * loss(model(some_images), some_labels)
                value.backward()
                total += value.detach()
            return total
        except torch.OutOfMemoryError:
            if parts >= len(images):
                raise
            parts *= 2
            for parameter, grad in kept.items():
                parameter.grad = grad
