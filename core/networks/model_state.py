"""Leaving a model as it was found: train/eval mode, requires_grad flags, working copies."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

Net = TypeVar("Net", bound=nn.Module)


@contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode with parameter gradients off; both are put back on the way out."""
    modes = [(module, module.training) for module in model.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    # Only what differs is set: setting an attribute of a module is slow, and an attack freezes once per step.
    if any(training for _, training in modes):
        model.eval()
    for parameter, flag in flags:
        if flag:
            parameter.requires_grad_(False)
    try:
        yield model
    finally:
        for module, training in modes:
            if module.training != training:
                module.training = training
        for parameter, flag in flags:
            if parameter.requires_grad != flag:
                parameter.requires_grad_(flag)


def working_copy(model: Net) -> Net:
    """A trainable deep copy in eval mode, without the report on the original, which is not touched."""
    twin = copy.deepcopy(model).eval()
    vars(twin).pop("report", None)
    for parameter in twin.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    return twin


def batch_norms(model: nn.Module) -> list[nn.BatchNorm2d]:
    """The model's 2-D batch norms in registration order."""
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def folded(norm: nn.BatchNorm2d) -> bool:
    """Whether a converter folded a batch norm's statistics into the convolution before it.

    The statistics are then the identity, and what is left is a learned bias; a batch norm that has
    never been trained has identity statistics too, but no bias yet.
    """
    if norm.running_mean is None or norm.running_var is None or norm.bias is None:
        return False
    identity = (norm.running_mean == 0).all() and (norm.running_var == 1).all()
    return bool(identity and (norm.bias != 0).any())


def train_mode(model: nn.Module) -> nn.Module:
    """Training mode, with folded batch norms kept in eval: their batch statistics mean nothing."""
    model.train()
    for norm in batch_norms(model):
        if folded(norm):
            norm.eval()
    return model


@contextmanager
def still_statistics(model: nn.Module) -> Iterator[nn.Module]:
    """Batch norms in training mode use the batch's statistics but leave their running ones alone."""
    moving = [norm for norm in batch_norms(model) if norm.training and norm.track_running_stats]
    for norm in moving:
        norm.track_running_stats = False
    try:
        yield model
    finally:
        for norm in moving:
            norm.track_running_stats = True


@contextmanager
def slower_statistics(model: nn.Module, parts: int) -> Iterator[nn.Module]:
    """Batch norms whose running statistics move by as much in `parts` passes as they do in one.

    With momentum m each of the passes has 1 - (1 - m)^(1 / parts).
    """
    norms = [(norm, norm.momentum) for norm in batch_norms(model) if norm.training] if parts > 1 else []
    for norm, momentum in norms:
        norm.momentum = None if momentum is None else 1 - (1 - momentum) ** (1 / parts)
    try:
        yield model
    finally:
        for norm, momentum in norms:
            norm.momentum = momentum


def require_batch_statistics(model: nn.Module, method: str) -> None:
    """Raise ValueError when `method` needs batch-norm statistics and the model has none."""
    norms = batch_norms(model)
    if not norms or all(folded(norm) for norm in norms):
        raise ValueError(
            f"{method} needs batch-norm statistics, and this model has none (its batch norms are "
            "folded into the convolutions or absent). Choose a model that was not converted."
        )
