"""What a trigger learns while a model is trained with it."""

from __future__ import annotations

import torch
from torch import Tensor

from core.runs import Run
from core.triggers.shared.trigger import LearnedTrigger


class TriggerOptimizer:
    """What learns a trigger in one training, made by `Trigger.trigger_optimizer`.

    The training asks `poison` for every batch, computes the model's loss on it and calls `step`. The model is given
    the stamped pictures as a leaf, so that `backward` may cut the batch into parts; `step` hands the
    leaf's gradient on to whatever stamped them. A subclass says in `stamped` how pictures are stamped, with gradients
    for as long as it learns. It sets `optimiser`, perhaps its `schedule`, and `penalty` where the trigger has a loss
    of its own.
    """

    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None
    penalty: Tensor | None = None

    def __init__(self) -> None:
        self._made: Tensor | None = None
        self._seen: Tensor | None = None

    @property
    def fitted(self) -> LearnedTrigger:
        """The trigger with what has been learned so far."""
        raise NotImplementedError

    def prepare(self) -> Run[None]:
        """What is learned before the model's first step: nothing, unless a subclass says otherwise."""
        yield from ()

    def stamped(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """As `Trigger.poison`; while it learns, the images (N, C, H, W) carry gradients."""
        raise NotImplementedError

    def poison(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """As `Trigger.poison`, for the next call of `step` to learn from."""
        made, labels = self.stamped(images, labels, generator, wanted=wanted, rate=rate, mode=mode)
        learning = made.requires_grad
        self._made = made if learning else None
        self._seen = made.detach().requires_grad_(learning)
        return self._seen, labels

    def step(self) -> None:
        """One step down the loss whose gradient the last batch's images hold, and down the penalty."""
        if self._made is None or self._seen is None:
            return
        self.optimiser.zero_grad(set_to_none=True)
        if self.penalty is None:
            self._made.backward(self._seen.grad)
        else:
            torch.autograd.backward([self._made, self.penalty], [self._seen.grad, None])
        self.optimiser.step()
        if self.schedule is not None:
            self.schedule.step()
        self._made = self._seen = self.penalty = None
