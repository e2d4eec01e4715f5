"""How a trigger gets into the training data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ONE, MODES, goal, keeps_labels, stamped, trigger_per_class
from core.knobs import Method, knob
from core.triggers.badnets import BadNets
from core.triggers.shared.trigger import Trigger
from core.triggers.shared.trigger_optimizer import TriggerOptimizer


@dataclass(frozen=True)
class Poison(Method):
    """A share `rate` of the whole training set carries the trigger.

    With `clean_label` only pictures of the target class are stamped and no label changes;
    otherwise any picture may be stamped and is given the label that `mode` asks for. `rate` is
    always a share of the whole set, so a clean-label rate of 0.1 with ten even classes stamps
    every picture of the target class. In the modes any-to-any and any-to-one (Flareon's) no label
    changes either: each picture is stamped for its own class, or only those of the target class.
    """

    trigger: Trigger = knob(BadNets(), help="what is stamped")
    target: int = knob(0, low=0, high=9999, step=1, symbol="t", help="class the trigger leads to", primary=True)
    rate: float = knob(
        0.1, low=0.0, high=1.0, step=0.01, symbol="ρ", help="share of poisoned pictures", paper=0.1, primary=True
    )
    mode: str = knob(ALL_TO_ONE, choices=MODES, help="which class leads where")
    clean_label: bool = knob(False, help="stamp only the target class and keep labels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.trigger, Trigger):
            raise ValueError(f"Poison.trigger = {self.trigger!r} is not a trigger; give one such as BadNets().")
        if self.clean_label and self.mode != ALL_TO_ONE:
            raise ValueError("Poison: clean_label keeps labels, so its mode must be all-to-one.")
        if self.mode not in self.trigger.modes:
            raise ValueError(
                f"Poison: {type(self.trigger).__name__} cannot be trained in with mode {self.mode}; choose "
                f"{' or '.join(self.trigger.modes)}."
            )

    @classmethod
    def paper_for(cls, trigger: Trigger, target: int = 0) -> Self:
        """How the trigger's paper poisons with it: its share of the pictures, mode and labels."""
        return cls(trigger, target, trigger.paper_rate, trigger.modes[0], trigger.paper_clean_label)

    @property
    def controls_training(self) -> bool:
        """Whether the trigger poisons every batch anew instead of a fixed set of pictures."""
        return self.trigger.controls_training and not self.clean_label

    @property
    def aim(self) -> int | None:
        """The class that the trigger leads to; None for any-to-any, where each class has a trigger of its own."""
        return None if trigger_per_class(self.mode) else self.target

    def stamp(self, train: ImageSet, generator: torch.Generator) -> tuple[ImageSet, Tensor]:
        """The poisoned data (stored as uint8, as on a disk) and the indices (P,) that were poisoned."""
        classes = len(train.class_names)
        self._check(classes)
        if keeps_labels(self.mode):
            raise ValueError(
                f"Poison: {self.mode} works batch by batch, in the augmentation, and leaves no trace in the data; "
                "train with Standard."
            )
        wanted = goal(train.labels, self.mode, self.target, classes)
        count = round(self.rate * len(train))
        candidates = torch.arange(len(train))
        if self.clean_label:
            candidates = candidates[train.labels.cpu() == self.target]
        chosen = candidates[torch.randperm(len(candidates), generator=generator)[:count]]
        index = chosen.to(train.images.device)
        images, labels = train.images.clone(), train.labels.clone()
        images[index] = (stamped(self.trigger, train[index]) * 255).round().to(torch.uint8)
        labels[index] = wanted[index]
        return dataclasses.replace(train, images=images, labels=labels), chosen

    def trigger_optimizer(
        self, train: ImageSet, *, epochs: int, batch_size: int, generator: torch.Generator
    ) -> TriggerOptimizer | None:
        """What learns the trigger while a model is trained with it; None for a trigger that stays as it is."""
        if not self.controls_training:
            return None
        self._check(len(train.class_names))
        return self.trigger.trigger_optimizer(
            train, self.mode, epochs=epochs, batch_size=batch_size, generator=generator
        )

    def batch(
        self,
        images: Tensor,
        labels: Tensor,
        classes: int,
        generator: torch.Generator,
        trigger_optimizer: TriggerOptimizer | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One training batch, poisoned by the trigger itself or by what learns it."""
        self._check(classes)
        wanted = labels if trigger_per_class(self.mode) else goal(labels, self.mode, self.target, classes)
        poison = self.trigger.poison if trigger_optimizer is None else trigger_optimizer.poison
        return poison(images, labels, generator, wanted=wanted, rate=self.rate, mode=self.mode)

    def _check(self, classes: int) -> None:
        if self.target >= classes:
            raise ValueError(f"Poison.target = {self.target} is not a class; the data have {classes} classes, from 0.")
