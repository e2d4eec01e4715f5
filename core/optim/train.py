"""The training loop: every training and every repair that takes gradient steps on a model runs in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.device import device_of
from core.networks.model_state import train_mode
from core.networks.report import with_report
from core.optim.gradients import micro_batch
from core.optim.objectives import Metrics, Objective, Pass, cross_entropy
from core.optim.schedules import Schedule
from core.optim.weight_perturbation import Perturbation, unperturbed
from core.runs import Progress, Run


def train_steps(
    model: nn.Module,
    stream: Iterator[tuple[Tensor, Tensor]],
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    steps: int,
    *,
    generator: torch.Generator,
    objective: Objective = cross_entropy,
    perturbation: Perturbation = unperturbed,
    after_step: Callable[[], None] | None = None,
    until: Callable[[dict[str, float]], bool] | None = None,
    training: bool = True,
    every: int = 1,
    stage: str = "train",
) -> Run[dict[str, float]]:
    """Train `model` in place for `steps` steps; 0 steps leave it as it is. It is in eval mode when the run ends.
    The result are the metrics that were looked at last.

    stream : batches (images (N, C, H, W) float in [0, 1], labels), at least one per step
    schedule : what the optimiser is set to before each step
    generator : draws the seed of each step's random numbers (dropout, attacks)
    objective : what fills `.grad`; the cross-entropy by default. Where a batch does not fit into memory it is cut in
        parts, whose size is then the metric "micro_batch", in the model's report too (core/optim/gradients.py)
    perturbation : where it is taken and the step is made, see core/optim/weight_perturbation.py
    after_step : called after each step of the optimiser: projections, averages, a trigger that learns along
    until : asked at each look at the metrics, whether the training ends before that step is taken
    training : training mode (folded batch norms in eval) while it runs, or eval mode throughout
    every : steps between two looks at the metrics, since a look waits for the device

    What acts from outside, such as early stopping, wraps the run: it sees `progress.model` after each step and
    may close the run. Raises Diverged, a ValueError, when the loss is no longer finite.
    """
    device, metrics = device_of(model), dict[str, float]()
    if training:
        train_mode(model)
    split: dict[str, float] = {}
    try:
        for step in range(1, steps + 1):
            images, labels = next(stream)
            seed = int(torch.randint(2**31, (), generator=generator))
            for group in optimiser.param_groups:
                group.update(schedule(step))
            optimiser.zero_grad(set_to_none=True)
            with seeded(seed, device), perturbation(model, repeatable(objective(model, images, labels), seed)) as found:
                split = micro_batch(model, images)
                if step % every == 0 or step == steps:
                    metrics = {name: value.item() for name, value in found.items()}
                    if until is not None and until(metrics):
                        break
                    require_finite(metrics["loss"], step, steps)
                optimiser.step()
            if after_step is not None:
                after_step()
            yield Progress(stage, step, steps, metrics | split, model=model)
    finally:
        optimiser.zero_grad(set_to_none=True)
        model.eval()
    if split:
        with_report(model, split)
    return metrics


class Diverged(ValueError):
    """A loss that is no longer finite, said in one sentence; a caller that can choose a lower lr catches it."""


def require_finite(loss: float, step: int, steps: int) -> None:
    """Raise Diverged where the loss of a step is no longer a finite number."""
    if not math.isfinite(loss):
        raise Diverged(f"The loss is no longer finite at step {step} of {steps}; choose a lower lr.")


def repeatable(one_pass: Pass, seed: int) -> Pass:
    """A pass that draws the same random numbers, which dropout asks for, every time."""

    def again() -> Metrics:
        torch.manual_seed(seed)
        return one_pass()

    return again


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """The global random numbers fixed by `seed`, and put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
