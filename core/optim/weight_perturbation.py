"""Weight perturbations: the gradient is taken at other weights than those that the training is to leave.

A perturbation is given the model and a batch's pass (see core/optim/objectives.py) and is a context around the
optimiser's step. On the way in it leaves in `.grad` what the optimiser is to follow, and gives the metrics to show.
Most have then put the weights back, so that the step is made from them; AWP has the step made at the perturbed
weights and takes the perturbation away afterwards. Where no step is made, by an error or by a stop, the weights are
exactly what they were. SAM and AWP are methods with knobs, parts of a training; a defense may have one of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

from core.knobs import Method
from core.networks.model_state import still_statistics
from core.optim.objectives import Metrics, Pass

Perturbation = Callable[[nn.Module, Pass], AbstractContextManager[Metrics]]
"""Fills `.grad` from one pass or several and gives the metrics to show; the optimiser's step is made within."""


class WeightPerturbation(Method):
    """A `Perturbation` with knobs, which a training takes as `weight_perturbation=`."""

    def __call__(self, model: nn.Module, one_pass: Pass) -> AbstractContextManager[Metrics]:
        raise NotImplementedError


@contextmanager
def unperturbed(model: nn.Module, one_pass: Pass) -> Iterator[Metrics]:
    """The gradient at the weights themselves: one pass."""
    yield one_pass()


def after(steps: int, perturbation: Perturbation) -> Perturbation:
    """No perturbation in the first `steps` steps."""
    taken = itertools.count(1)

    def later(model: nn.Module, one_pass: Pass) -> AbstractContextManager[Metrics]:
        return (unperturbed if next(taken) <= steps else perturbation)(model, one_pass)

    return later


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


@contextmanager
def stepped_at(weights: Sequence[Tensor], offsets: Sequence[Tensor]) -> Iterator[None]:
    """The weights w with the offsets v added, for a step that is made there; on the way out v is taken away again.

    What the step has made of w + v becomes w + (w' - (w + v)): that is w' - v with the rounding of the step alone, so
    that weights that were not moved are exactly w. An error within leaves w.
    """
    held = [weight.detach().clone() for weight in weights]
    try:
        with torch.no_grad():
            for weight, offset in zip(weights, offsets, strict=True):
                weight.add_(offset)
            there = [weight.detach().clone() for weight in weights]
        yield
    except BaseException:
        with torch.no_grad():
            for weight, value in zip(weights, held, strict=True):
                weight.copy_(value)
        raise
    with torch.no_grad():
        for weight, value, from_there in zip(weights, held, there, strict=True):
            weight.sub_(from_there).add_(value)
