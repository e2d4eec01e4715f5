"""Training by SGD on augmented batches, as most repairs want it: the loop with a method's own knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.knobs import Method
from core.optim.batches import batches
from core.optim.objectives import Objective, cross_entropy
from core.optim.schedules import named
from core.optim.train import train_steps
from core.optim.weight_perturbation import Perturbation, unperturbed
from core.runs import Run


@dataclass(frozen=True)
class SGDConfig:
    """The settings of SGD: the values of a method's knobs of the same names."""

    steps: int
    batch_size: int
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    flip: bool
    pad: int

    @classmethod
    def of(cls, method: Method, **fixed: Any) -> Self:
        """What the method's knobs say; `fixed` stands in for those that it has not, or means otherwise."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: fixed[name] if name in fixed else getattr(method, name) for name in names})


def train_with_sgd(
    model: nn.Module,
    data: ImageSet,
    config: SGDConfig,
    *,
    generator: torch.Generator,
    objective: Objective = cross_entropy,
    perturbation: Perturbation = unperturbed,
    after_step: Callable[[], None] | None = None,
    stage: str = "tune",
) -> Run[dict[str, float]]:
    """Train `model` in place on `data`, as `train_steps` does, with everything drawn by `generator`."""
    optimiser = torch.optim.SGD(model.parameters(), config.lr, config.momentum, weight_decay=config.weight_decay)
    return train_steps(
        model,
        batches(data, config.batch_size, generator, flip=config.flip, pad=config.pad),
        optimiser,
        named(config.schedule, config.lr, config.steps),
        config.steps,
        generator=generator,
        objective=objective,
        perturbation=perturbation,
        after_step=after_step,
        stage=stage,
    )
