"""Plain training, on clean or on poisoned data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.model_state import train_mode, working_copy
from core.optim.augment import flip_and_shift
from core.optim.gradients import backward
from core.runs import Progress, Run
from core.triggers.poison import Poison
from core.triggers.shared.trigger_optimizer import TriggerOptimizer


@dataclass(frozen=True)
class Standard(Method):
    """Cross-entropy, SGD with Nesterov momentum and a one-cycle learning rate.

    With `poison`, the result is a backdoored model that carries `trigger`, `target`, `mode` and
    `poisoned` (indices into `train`, empty where the trigger picks anew in every batch). Order:
    the trigger is stamped first, then the picture is flipped and shifted, as when an attacker
    controls the data but not the training; Flareon and InputAware come last. A trigger that is
    fitted by the training is learned along with the model, which then carries the fitted one. The
    protocol of the backdoor literature (100 epochs, lr 0.01, batch 128; Wu et al., BackdoorBench,
    2022) is `Standard.paper()`.
    """

    epochs: int = knob(15, low=0, high=200, help="passes over the training data", paper=100)
    lr: float = knob(0.1, low=1e-4, high=1.0, symbol="η", help="highest learning rate of the cycle", paper=0.01)
    batch_size: int = knob(128, low=8, high=1024, help="images per step", paper=128)
    momentum: float = knob(0.9, low=0.0, high=0.99, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    flip: bool = knob(True, help="mirror half of the pictures")
    pad: int = knob(2, low=0, high=8, help="largest shift in pixels", paper=4)
    poison: Method | None = knob(None, help="how the training data are poisoned, if they are")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.poison is not None and not isinstance(self.poison, Poison):
            raise ValueError(f"Standard.poison = {self.poison!r} does not poison data; give Poison(trigger=...).")

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Train a copy of `model` on `train`.

        Raises ValueError when the model has fewer classes than the data or the loss is not finite.
        """
        generator = torch.Generator().manual_seed(seed)
        device = device_of(model)
        poison = self.poison if isinstance(self.poison, Poison) else None
        poisoned = torch.empty(0, dtype=torch.int64)
        if poison is not None and not poison.controls_training:
            train, poisoned = poison.stamp(train, generator)
        train = train.to(device)
        student = working_copy(model).to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(
            student.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay, nesterov=self.momentum > 0
        )
        per_epoch = len(train) // min(self.batch_size, len(train))
        total = self.epochs * per_epoch
        # The cycle needs a few steps to have a rise and a fall.
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.lr, total_steps=max(total, 9) + 1, pct_start=0.2)
        learner = None
        if poison is not None:
            learner = poison.learner(
                train, epochs=self.epochs, batch_size=min(self.batch_size, len(train)), generator=generator
            )
        if learner is not None:
            yield from learner.prepare()
        train_mode(student)
        metrics: dict[str, float] = {}
        for step in range(1, total + 1):
            if step % per_epoch == 1 % per_epoch:
                order = torch.randperm(len(train), generator=generator).to(device)
            start = (step - 1) % per_epoch * self.batch_size
            images, labels = self._batch(train, order[start : start + self.batch_size], poison, generator, learner)
            optimiser.zero_grad(set_to_none=True)
            loss = backward(student, F.cross_entropy, images, labels)
            optimiser.step()
            if learner is not None:
                learner.step()
            cycle.step()
            if step % 10 == 0 or step == total:
                metrics = {"loss": finite(loss.item())}
            yield Progress("train", step, total, metrics, model=student)
        return finished(student, poison, poisoned, learner)

    def _batch(
        self,
        train: ImageSet,
        index: Tensor,
        poison: Poison | None,
        generator: torch.Generator,
        learner: TriggerOptimizer | None,
    ) -> tuple[Tensor, Tensor]:
        images, labels = train.images[index].float().div_(255), train.labels[index]
        if poison is None or not poison.controls_training:
            return self._moved(images, generator), labels
        if poison.trigger.after_augmentation:
            images = self._moved(images, generator)
            return poison.batch(images, labels, len(train.class_names), generator, learner)
        images, labels = poison.batch(images, labels, len(train.class_names), generator, learner)
        return self._moved(images, generator), labels

    def _moved(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return flip_and_shift(images, generator, flip=self.flip, pad=self.pad)


def finite(loss: float) -> float:
    """`loss`; ValueError in one sentence where it is no longer a number."""
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise ValueError("The training loss is no longer a number; choose a lower learning rate.")
    return loss


def finished(
    student: nn.Module, poison: Poison | None, poisoned: Tensor, learner: TriggerOptimizer | None
) -> nn.Module:
    """The trained model in eval mode, carrying what was done to it."""
    student.eval().requires_grad_(False)
    student.zero_grad(set_to_none=True)
    told: dict[str, Any] = dict.fromkeys(("trigger", "target", "mode")) | {"poisoned": poisoned}
    if poison is not None:
        trigger = poison.trigger if learner is None else learner.fitted
        told |= {"trigger": trigger, "target": poison.aim, "mode": poison.mode}
    for name, value in told.items():
        setattr(student, name, value)
    return student
