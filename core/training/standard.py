"""Plain training, on clean or on poisoned data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import training_copy
from core.optim.batches import Transform, batches, steps_per_epoch
from core.optim.ema import Average
from core.optim.objectives import Objective, supervised
from core.optim.schedules import TRAININGS as SCHEDULES
from core.optim.train import train_steps
from core.runs import Run
from core.training.mixing.mixer import Mixer
from core.training.mixing.objective import mixed
from core.training.shared.records import looks
from core.training.shared.sgd_settings import MOMENTUM, check_settings, optimiser_of, perturbation_of, schedule_of
from core.triggers.poison import Poison
from core.triggers.shared.trigger_optimizer import TriggerOptimizer


@dataclass(frozen=True)
class Standard(Method):
    """Cross-entropy by SGD, with a one-cycle, a cosine or a piecewise learning rate.

    "one-cycle" (Smith and Topin, 2018), the lab's: Nesterov momentum, which moves between 0.95 and 0.85 against the
    learning rate, so that the knob `momentum` has no effect there, and no value but its default is
    taken. "cosine": plain SGD with that momentum, the learning rate falling to 0 over all steps. "piecewise": plain
    SGD, a tenth of the learning rate after half of the epochs and again after three quarters.

    With `poison`, the result is a backdoored model that carries `trigger`, `target`, `mode` and
    `poisoned` (indices into `train`, empty where the trigger picks anew in every batch). Order:
    the trigger is stamped first, then the picture is flipped and shifted, as when an attacker
    controls the data but not the training; Flareon and InputAware come last. A trigger that is
    fitted by the training is learned along with the model, which then carries the fitted one.

    `weight_perturbation` is a part such as SAM() or AWP(): the gradient is then taken at other weights
    (core/optim/weight_perturbation.py). `mix` is a part such as FMix(): a batch is mixed last, after it has been
    stamped, flipped and shifted; it takes no label smoothing. With `ema` the result is a moving average of the weights.

    `Standard.paper()` is the protocol of the backdoor literature (Wu et al., BackdoorBench, 2022): 100 epochs,
    batches of 128, lr 0.01 on a cosine, momentum 0.9 without Nesterov, weight decay 5e-4.
    """

    epochs: int = knob(15, low=0, high=200, help="passes over the training data", paper=100)
    lr: float = knob(0.1, low=1e-4, high=1.0, symbol="η", help="highest learning rate of the cycle", paper=0.01)
    batch_size: int = knob(128, low=8, high=1024, help="images per step", paper=128)
    momentum: float = knob(MOMENTUM, low=0.0, high=0.99, help="momentum of SGD; of use with cosine only", paper=0.9)
    schedule: str = knob(
        "one-cycle", choices=SCHEDULES, paper="cosine",
        help="one-cycle: learning rate up and down, momentum between 0.85 and 0.95; cosine: down; piecewise: steps",
    )  # fmt: skip
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    flip: bool = knob(True, help="mirror half of the pictures")
    pad: int = knob(2, low=0, high=8, help="largest shift in pixels", paper=4)
    poison: Method | None = knob(None, help="how the training data are poisoned, if they are")
    weight_perturbation: Method | None = knob(
        None, help="where the gradient is taken, if not at the weights: SAM, AWP"
    )
    label_smoothing: float = knob(0.0, low=0.0, high=0.9, step=0.05, help="share of a label that all classes divide")
    ema: float = knob(0.0, low=0.0, high=0.9999, help="how much of the average of the weights stays at each step")
    pictures: int = knob(1_000_000, low=1, high=1_000_000, step=100, help="pictures that are used, the first ones")
    mix: Method | None = knob(None, help="how pictures are mixed with each other, if they are: MixUp, CutMix, FMix")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mix is not None and not isinstance(self.mix, Mixer):
            raise ValueError(f"Standard.mix = {self.mix!r} mixes no pictures; give MixUp(), CutMix() or FMix().")
        if self.mix is not None and self.label_smoothing:
            raise ValueError("Standard.label_smoothing has no effect on mixed labels; leave it at 0, or mix nothing.")
        if self.poison is not None and not isinstance(self.poison, Poison):
            raise ValueError(f"Standard.poison = {self.poison!r} does not poison data; give Poison(trigger=...).")
        check_settings(self)

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Train a copy of `model` on `train`.

        Raises ValueError when the model has fewer classes than the data or the loss is not finite.
        """
        generator = torch.Generator().manual_seed(seed)
        poison = self.poison if isinstance(self.poison, Poison) else None
        poisoned, train = torch.empty(0, dtype=torch.int64), train[: self.pictures]
        if poison is not None and not poison.controls_training:
            train, poisoned = poison.stamp(train, generator)
        train = train.to(device_of(model))
        student = announced(training_copy(model, train.images), poison)
        trigger_optimizer = None
        if poison is not None:
            trigger_optimizer = poison.trigger_optimizer(
                train, epochs=self.epochs, batch_size=min(self.batch_size, len(train)), generator=generator
            )
            if trigger_optimizer is not None and self.mix is not None:
                raise ValueError(
                    f"Standard.mix: {type(poison.trigger).__name__} is learned along with the model, from pictures "
                    "that are not mixed; leave mix out, or choose another trigger."
                )
        if trigger_optimizer is not None:
            yield from trigger_optimizer.prepare()
        before, after = stamping(poison, len(train.class_names), generator, trigger_optimizer)
        per_epoch = steps_per_epoch(train, self.batch_size)
        total = self.epochs * per_epoch
        average = Average(student, self.ema) if self.ema else None
        yield from train_steps(
            student,
            batches(train, self.batch_size, generator, flip=self.flip, pad=self.pad, before=before, after=after),
            optimiser_of(self, student.parameters()),
            schedule_of(self, total),
            total,
            generator=torch.Generator().manual_seed(seed),
            objective=self._objective(),
            perturbation=perturbation_of(self, per_epoch),
            after_step=in_turn(*(part.step for part in (trigger_optimizer, average) if part is not None)),
            every=looks(per_epoch),
        )
        return finished(average.model if average else student, poison, poisoned, trigger_optimizer)

    def _objective(self) -> Objective:
        if isinstance(self.mix, Mixer):
            return mixed(self.mix)
        return supervised(partial(F.cross_entropy, label_smoothing=self.label_smoothing))


def in_turn(*steps: Callable[[], None]) -> Callable[[], None]:
    """All of the steps, one after the other."""

    def every() -> None:
        for step in steps:
            step()

    return every


def stamping(
    poison: Poison | None, classes: int, generator: torch.Generator, trigger_optimizer: TriggerOptimizer | None
) -> tuple[Transform | None, Transform | None]:
    """What stamps each batch before, and what after it is flipped and shifted; None for data that were stamped once."""
    if poison is None or not poison.controls_training:
        return None, None

    def stamp(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return poison.batch(images, labels, classes, generator, trigger_optimizer)

    return (None, stamp) if poison.trigger.after_augmentation else (stamp, None)


def announced(student: nn.Module, poison: Poison | None) -> nn.Module:
    """`student` with the backdoor that it is to learn, where that is known before: one that is stopped has it, too."""
    if poison is not None and poison.trigger.stampable:
        for name, value in {"trigger": poison.trigger, "target": poison.aim, "mode": poison.mode}.items():
            setattr(student, name, value)
    return student


def finished(
    student: nn.Module, poison: Poison | None, poisoned: Tensor, trigger_optimizer: TriggerOptimizer | None
) -> nn.Module:
    """The trained model in eval mode, carrying what was done to it."""
    student.requires_grad_(False)
    told: dict[str, Any] = dict.fromkeys(("trigger", "target", "mode")) | {"poisoned": poisoned}
    if poison is not None:
        trigger = poison.trigger if trigger_optimizer is None else trigger_optimizer.fitted
        told |= {"trigger": trigger, "target": poison.aim, "mode": poison.mode}
    for name, value in told.items():
        setattr(student, name, value)
    return student
