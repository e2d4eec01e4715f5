"""The loop that fine-tuning, fine-pruning and TSBD share: SGD on clean images, counted in steps.

Steps, not epochs: with a thousand clean images an epoch is a handful of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.networks.model_state import train_mode
from core.optim.augment import flip_and_shift
from core.optim.gradients import backward
from core.runs import Progress, Run

Pass = Callable[[], Tensor]
"""One forward and backward pass over the step's batch: adds to `.grad`, returns the loss."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (N, K) and labels (N,) -> a mean over the batch."""
Gradient = Callable[[nn.Module, Pass], Tensor]
"""What fills `.grad` in a step, from one pass or several; returns the loss to show."""


def plain_gradient(model: nn.Module, one_pass: Pass) -> Tensor:
    """The gradient of the loss: one pass."""
    return one_pass()


@dataclass(frozen=True)
class SGDConfig:
    """How the loop configs: the values of a method's knobs of the same names."""

    steps: int
    batch_size: int
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    flip: bool
    pad: int

    def rate(self, step: int) -> float:
        """The learning rate of step 1, 2, … `steps`."""
        return learning_rate(self.lr, self.schedule, step, self.steps)


def learning_rate(lr: float, schedule: str, step: int, steps: int, *, rising: int = 0) -> float:
    """Of step 1, 2, … `steps`: `rising` steps on a line up to lr, then lr ("constant"), or half a cosine down to 0."""
    if step <= rising:
        return lr * step / rising
    if schedule == "constant":
        return lr
    return lr * (1 + math.cos(math.pi * (step - rising - 1) / (steps - rising))) / 2


def batches(
    data: ImageSet, size: int, generator: torch.Generator, *, flip: bool, pad: int, shuffle: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented batches (float images in [0, 1], labels) without end, drawn by `generator`.

    A new order every round; images that do not fill the last batch of a round wait for the next.
    Fewer images than `size` make one batch of all.
    """
    size = min(size, len(data))
    while True:
        order = torch.randperm(len(data), generator=generator) if shuffle else torch.arange(len(data))
        for index in order[: len(data) // size * size].split(size):
            index = index.to(data.images.device)
            pixels = data.images[index].float().div_(255)
            yield flip_and_shift(pixels, generator, flip=flip, pad=pad), data.labels[index]


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """The global random numbers, which dropout draws from, fixed by `seed` and put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def tune(
    model: nn.Module,
    data: ImageSet,
    config: SGDConfig,
    *,
    generator: torch.Generator,
    gradient: Gradient = plain_gradient,
    after_step: Callable[[], None] | None = None,
    loss: Loss = F.cross_entropy,
    stage: str = "tune",
) -> Run[None]:
    """Train `model` in place on `loss` for `config.steps` steps; 0 steps leave it as it is.

    The model is in training mode between steps (folded batch norms in eval) and in eval mode at
    the end. Raises ValueError when the loss is no longer finite.
    """
    device = device_of(model)
    optimiser = torch.optim.SGD(model.parameters(), config.lr, config.momentum, weight_decay=config.weight_decay)
    stream = batches(data, config.batch_size, generator, flip=config.flip, pad=config.pad)
    train_mode(model)
    for step in range(1, config.steps + 1):
        images, labels = next(stream)
        seed = int(torch.randint(2**31, (), generator=generator))
        for group in optimiser.param_groups:
            group["lr"] = config.rate(step)
        optimiser.zero_grad(set_to_none=True)
        with seeded(seed, device):
            value = gradient(model, Batch(model, images, labels, seed, loss)).item()
        if not math.isfinite(value):
            raise ValueError(f"The loss is no longer finite at step {step} of {config.steps}; choose a lower lr.")
        optimiser.step()
        if after_step is not None:
            after_step()
        yield Progress(stage, step, config.steps, {"loss": value}, model=model)
    optimiser.zero_grad(set_to_none=True)
    model.eval()


@dataclass
class Batch:
    """A batch as a `Pass`; every pass over it drops the same units where the model has dropout."""

    model: nn.Module
    images: Tensor
    labels: Tensor
    seed: int
    loss: Loss

    def __call__(self) -> Tensor:
        torch.manual_seed(self.seed)
        return backward(self.model, self.loss, self.images, self.labels)
