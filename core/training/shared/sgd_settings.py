"""SGD as the trainings have it: an optimiser and a schedule from knobs of the same names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import nn

from core.knobs import Method
from core.optim.schedules import Schedule, cosine, one_cycle, piecewise
from core.optim.weight_perturbation import Perturbation, WeightPerturbation, after, unperturbed

MOMENTUM = 0.9


class Settings(Protocol):
    """The knobs that are read here."""

    @property
    def lr(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def schedule(self) -> str: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def weight_perturbation(self) -> Method | None: ...


def check_settings(method: Settings) -> None:
    """ValueError where the momentum would be ignored, or the weight perturbation is none."""
    name, part = type(method).__name__, method.weight_perturbation
    if part is not None and not isinstance(part, WeightPerturbation):
        raise ValueError(f"{name}.weight_perturbation = {part!r} perturbs no weights; give SAM(...) or AWP(...).")
    if method.schedule == "one-cycle" and method.momentum != MOMENTUM:
        raise ValueError(
            f"{name}.momentum = {method.momentum!r} has no effect with the one-cycle schedule, which moves momentum"
            f" between 0.85 and 0.95; leave it at {MOMENTUM} or choose another schedule."
        )


def optimiser_of(method: Settings, parameters: Iterable[nn.Parameter]) -> torch.optim.SGD:
    """SGD, with Nesterov momentum in a cycle."""
    return torch.optim.SGD(
        parameters, method.lr, method.momentum, weight_decay=method.weight_decay,
        nesterov=method.schedule == "one-cycle",
    )  # fmt: skip


def schedule_of(method: Settings, steps: int) -> Schedule:
    """The schedule that the knob names, over all steps."""
    return {"one-cycle": one_cycle, "cosine": cosine, "piecewise": piecewise}[method.schedule](method.lr, steps)


def perturbation_of(method: Settings, steps_per_epoch: int) -> Perturbation:
    """The weight perturbation, after its warm-up where it has one."""
    part = method.weight_perturbation
    if not isinstance(part, WeightPerturbation):
        return unperturbed
    return after(getattr(part, "warmup", 0) * steps_per_epoch, part)
