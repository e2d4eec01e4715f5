"""Gradients of a batch's mean loss, in as many parts as the memory asks for.

A batch is computed whole until memory runs out; then it is cut in halves, and those again, until a part fits. The size
that fits is remembered, so that the next batches fail no more. The gradients of the parts add up to that of the
mean over the whole batch; only a batch norm in training mode sees the difference, as it takes its statistics from a
part. A pass that fails may have moved its running statistics once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.device import autocast, device_of, out_of_memory
from core.networks.findings import PerModel
from core.networks.layout import laid_out
from core.networks.model_state import slower_statistics

MICRO_BATCH = "micro_batch"
"""What a training calls the size of the parts, in its metrics and its report."""


@dataclass
class Fit:
    """How many images fit into memory at once, None while every batch did."""

    size: int | None = None

    def parts(self, n: int) -> int:
        """In how many parts a batch of n images is computed."""
        return 1 if self.size is None else -(-n // self.size)

    def halve(self, n: int, error: RuntimeError) -> None:
        """Smaller parts than those of a batch of n that ended in `error`; raises it where that is of no use."""
        parts = self.parts(n)
        if parts >= n or not out_of_memory(error):
            raise error
        self.size = -(-n // (2 * parts))


fit_of = PerModel(lambda model, images: Fit())
"""The `Fit` of a network for images of one size (N, C, H, W), by which its gradients are computed."""


def micro_batch(model: nn.Module, images: Tensor) -> dict[str, float]:
    """The size of the parts in which batches of such images are computed, as a metric; {} while they are whole."""
    size = fit_of(model, images).size
    return {} if size is None else {MICRO_BATCH: float(size)}


def backward(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Add the gradient of `loss(model(images), labels)` (a mean over the batch) to the parameters' `.grad`, and to
    that of the images where they ask for one. As `backward_of`.
    """
    return backward_of(model, lambda x, y: loss(model(laid_out(model, x)), y), images, labels)


def backward_of(model: nn.Module, value: Callable[..., Tensor], images: Tensor, *others: Tensor) -> Tensor:
    """Add the gradient of `value(images, *others)` to the parameters' `.grad`, and to that of the images where they
    ask for one.

    value : passes its images through `model`, and gives a mean over the batch, which is the first dimension of the
        images and of all the others

    Runs under autocast where that pays, in parts as above. Returns the detached value.
    """
    fit = fit_of(model, images)
    leaves = [leaf for leaf in (images, *model.parameters()) if leaf.is_leaf]
    kept = [None if leaf.grad is None else leaf.grad.clone() for leaf in leaves]
    while True:
        parts = fit.parts(len(images))
        try:
            total = torch.zeros((), device=images.device)
            pieces = zip(*(tensor.tensor_split(parts) for tensor in (images, *others)), strict=True)
            with slower_statistics(model, parts):
                for piece in pieces:
                    share = len(piece[0]) / len(images)
                    with autocast(device_of(model)):
                        part = share * value(*piece)
                    part.backward()
                    total += part.detach()
            return total
        except RuntimeError as error:
            fit.halve(len(images), error)
            for leaf, grad in zip(leaves, kept, strict=True):
                leaf.grad = None if grad is None else grad.clone()


def mean_in_parts(function: Callable[..., Sequence[Tensor]], *tensors: Tensor, fit: Fit | None = None) -> list[Tensor]:
    """`function(*tensors)`, whose results are means over the batch, in as many parts as the memory asks for.

    `tensors` have the batch in their first dimension; the results (any shapes: a loss and its
    gradients) are detached, and averaged over the parts, each by its share of the batch. `fit` is what earlier
    batches taught, and learns on: `fit_of(model, images)`.
    """
    whole, fit = len(tensors[0]), fit or Fit()
    while True:
        parts = fit.parts(whole)
        try:
            total: list[Tensor] = []
            for part in zip(*(tensor.tensor_split(parts) for tensor in tensors), strict=True):
                share = len(part[0]) / whole
                found = [share * result.detach() for result in function(*part)]
                total = [a + b for a, b in zip(total, found, strict=True)] if total else found
            return total
        except RuntimeError as error:
            fit.halve(whole, error)
