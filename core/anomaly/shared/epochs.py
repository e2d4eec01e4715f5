"""Epochs over training pictures, each with a weight: what every detector that is a network trains by."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.anomaly.shared.outlier_model import OutlierModel
from core.data.imageset import ImageSet
from core.optim.batches import batches, steps_per_epoch
from core.optim.gradients import backward_of
from core.optim.objectives import Metrics, Pass
from core.optim.schedules import Schedule, constant
from core.optim.train import train_steps
from core.runs import Progress, Run

M = TypeVar("M", bound=OutlierModel)
Losses = Callable[[Tensor], Tensor]
"""Pixels (B, C, H, W) -> the loss (B,) of each picture."""


@dataclasses.dataclass
class Epochs:
    """A training that may go on in several phases: optimiser and random numbers carry over from one to the next.

    model : trained by `losses`, a method of it; learned : the epochs so far
    after_step : called with each batch and its weights, once the step is made
    """

    model: nn.Module
    losses: Losses
    optimiser: torch.optim.Optimizer
    batch_size: int
    generator: torch.Generator
    after_step: Callable[[Tensor, Tensor], None] | None = None
    schedule: Schedule | None = None
    learned: float = 0.0

    def run(self, train: ImageSet, weights: Tensor | None, epochs: int, stage: str = "train") -> Run[None]:
        """Train on the pictures whose weight is not 0, by sum_i w_i loss_i / n over each batch of n; None: all weigh 1.

        Progress metrics: loss; epoch, how many passes there have been in all phases.
        """
        weights = torch.ones(len(train), device=train.images.device) if weights is None else weights
        kept = weights != 0
        indexed = dataclasses.replace(train, labels=torch.arange(len(train), device=train.images.device))[kept]
        per_epoch, lr = steps_per_epoch(indexed, self.batch_size), self.optimiser.param_groups[0]["lr"]
        batch: list[Tensor] = []

        def objective(model: nn.Module, images: Tensor, index: Tensor) -> Pass:
            batch[:] = images, weights[index]

            def one_pass() -> Metrics:
                return {"loss": backward_of(model, lambda x, w: (w * self.losses(x)).mean(), *batch)}

            return one_pass

        def after() -> None:
            if self.after_step is not None:
                self.after_step(batch[0], batch[1])

        steps, start = epochs * per_epoch, self.learned
        run = train_steps(
            self.model, batches(indexed, self.batch_size, self.generator, flip=False, pad=0), self.optimiser,
            self.schedule or constant(lr), steps, generator=self.generator, objective=objective, after_step=after,
            every=per_epoch, stage=stage,
        )  # fmt: skip
        for progress in run:
            self.learned = start + progress.step / per_epoch
            metrics = progress.metrics | {"epoch": self.learned}
            yield Progress(stage, progress.step, steps, metrics, model=self.model)


def calibrated(model: M, phases: Run[None], train: ImageSet) -> Run[M]:
    """The model once it has gone through its training; closed before, it is left as it is then, with thresholds."""
    try:
        yield from phases
    finally:
        model.calibrate(train.images)
    return model.requires_grad_(False)
