"""Objectives: what a training step descends.

An objective is given the model and a batch. It does there what is done once per batch (an attack on the images, a
teacher's answer) and returns a pass: a function that fills `.grad`, which is None before, and returns metrics. A
pass can be repeated at other weights, which is how weight perturbations work; every repetition drops the
same units where the model has dropout.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from core.optim.gradients import backward

Metrics = dict[str, Tensor]
"""Scalars measured in a pass, detached; "loss" is always among them."""
Pass = Callable[[], Metrics]
"""Forward and backward over one batch: fills `.grad`, returns the metrics."""
Objective = Callable[[nn.Module, Tensor, Tensor], Pass]
"""(model, images (N, C, H, W), labels) -> the batch's pass."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (N, K) and labels -> a mean over the batch."""


def supervised(loss: Loss = F.cross_entropy) -> Objective:
    """The mean loss of the model's logits over the batch."""

    def objective(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        def one_pass() -> Metrics:
            images.grad = None  # images that a trigger is learned from are told of the last pass only
            return {"loss": backward(model, loss, images, labels)}

        return one_pass

    return objective


cross_entropy: Objective = supervised()
"""The mean cross-entropy."""


def ascent(objective: Objective) -> Objective:
    """The opposite gradient of another objective, with its metrics: unlearning."""

    def opposite(model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        one_pass = objective(model, images, labels)

        def uphill() -> Metrics:
            metrics = one_pass()
            turn(model)
            return metrics

        return uphill

    return opposite


def turn(model: nn.Module) -> None:
    """The opposite of every gradient that the model's parameters hold."""
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.neg_()
