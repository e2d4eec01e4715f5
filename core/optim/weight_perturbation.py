"""Weight perturbations: the gradient is taken at other weights than those that the step is made from.

A perturbation is given the model and a batch's pass (see core/optim/objectives.py) and leaves in `.grad` what the
optimiser is to follow; the weights are then what they were. SAM and AWP are methods with knobs, parts of a
training; a defense may have one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.knobs import Method
from core.networks.model_state import still_statistics
from core.optim.objectives import Metrics, Pass

Perturbation = Callable[[nn.Module, Pass], Metrics]
"""Fills `.grad` from one pass or several; returns the metrics to show."""


class WeightPerturbation(Method):
    """A `Perturbation` with knobs, which a training takes as `weight_perturbation=`."""

    def __call__(self, model: nn.Module, one_pass: Pass) -> Metrics:
        raise NotImplementedError


def unperturbed(model: nn.Module, one_pass: Pass) -> Metrics:
    """The gradient at the weights themselves: one pass."""
    return one_pass()


def pass_at(model: nn.Module, one_pass: Pass, weights: Sequence[nn.Parameter], offsets: Sequence[Tensor]) -> Metrics:
    """The pass at weights + offsets, alone in `.grad`; weights and running statistics are left as they were."""
    for weight in weights:
        weight.grad = None
    with still_statistics(model), moved(weights, offsets):
        return one_pass()


@contextmanager
def moved(weights: Sequence[Tensor], offsets: Sequence[Tensor]) -> Iterator[None]:
    """The weights with the offsets added; on the way out exactly what they were."""
    held = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight, offset in zip(weights, offsets, strict=True):
                weight.add_(offset)
        yield
    finally:
        with torch.no_grad():
            for weight, value in zip(weights, held, strict=True):
                weight.copy_(value)
