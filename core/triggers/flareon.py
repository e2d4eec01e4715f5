from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.modes import ANY_TO_ANY, ANY_TO_ONE, trigger_per_class
from core.knobs import knob
from core.triggers.shared.trigger import LearnedTrigger
from core.triggers.shared.trigger_optimizer import TriggerOptimizer
from core.triggers.shared.warp import warp


@dataclass(frozen=True)
class Flareon(LearnedTrigger):
    """A warp of its own for every class, hidden in the augmentation: labels and loss stay as they are.

    Qin, He, Gao, Zhao, Ye, Xu, "Flareon: Stealthy any2any Backdoor Injection via Poisoned Augmentation", 2022 (arXiv
    2212.09979): x' = warp(x, s tau_c / H) with tau_c = 2 Beta(b, b) - 1 drawn for each pixel and axis, (H, W, 2), never
    smoothed. At s = 1 no pixel moves by more than (H - 1) / 2H, half a pixel; s > 1 is this lab's, for teaching.

    In training (mode "any-to-any") the first `rate` of each shuffled batch is moved by the field of its OWN class,
    after flip and shift; afterwards field c sends any picture to class c. In mode "any-to-one" there is one field,
    and every picture of the target class is moved by it, whatever `rate` says. The paper moves 60 % of each batch
    (`Poison.paper_for(Flareon.paper())`) and augments the rest further, by rotation and shear, and all by Cutout: that
    is left out here.

    `trigger(images, targets)` moves each picture by the field of its target; without `targets` by the first field,
    the one that any-to-one trains in.

    With motion "learned", tau starts as drawn and learns along (`Motion`); it is then the trigger's state, "tau"
    (K or 1, H, W, 2). Raises ValueError where it was not learned, or on pictures of another size.
    """

    motion: str = knob("random", choices=("random", "learned"), help="fields as drawn, or learned in training")
    beta: float = knob(
        1.0, low=1.0, high=8.0, step=0.5, symbol="b", help="larger values move less", paper=1.0, primary=True
    )
    amplify: float = knob(
        1.0,
        low=0.0,
        high=6.0,
        step=0.25,
        symbol="s",
        help="amplification for teaching; the paper's is 1",
        paper=1.0,
        primary=True,
    )
    key: int = knob(0, low=0, high=9999, step=1, help="seed of the fields")
    warmup: int = knob(10, low=0, high=200, step=1, help="learned: epochs until the fields are frozen", paper=10)
    lr: float = knob(0.2, low=0.0, high=1000.0, symbol="η", help="learned: learning rate of the fields", paper=0.2)
    decay: float = knob(5e-4, low=0.0, high=0.1, help="learned: weight decay of the fields", paper=5e-4)
    floor: float = knob(0.1, low=0.0, high=20.0, symbol="ε", help="learned: norm below which they freeze", paper=0.1)

    controls_training: ClassVar[bool] = True
    after_augmentation: ClassVar[bool] = True
    modes: ClassVar[tuple[str, ...]] = (ANY_TO_ANY, ANY_TO_ONE)
    paper_rate: ClassVar[float] = 0.6
    dials: ClassVar[tuple[str, ...]] = ("amplify",)

    @property
    def stampable(self) -> bool:
        """Motions as drawn follow from `key`; only learned ones have to be there."""
        return self.motion == "random" or super().stampable

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        if targets is None:
            targets = torch.zeros(1, dtype=torch.int64)
        classes, which = targets.cpu().unique(return_inverse=True)
        if not len(classes):
            return images.clone()
        return self.move(images, self.fields(classes.tolist(), images)[which])

    def move(self, images: Tensor, tau: Tensor) -> Tensor:
        """Each image displaced by its field, tau (N or 1, H, W, 2)."""
        return warp(images, self.amplify * tau / images.shape[-2])

    def fields(self, classes: list[int], like: Tensor) -> Tensor:
        """tau of these classes (len(classes), H, W, 2), as learned or as drawn."""
        height, width = like.shape[-2:]
        if self.motion == "random":
            return torch.stack([self.field(c, height, width) for c in classes])
        tau = self.learned("tau", like)
        if tau.shape[1:3] != (height, width):
            raise ValueError(
                f"Flareon's motion was learned on {tau.shape[1]} x {tau.shape[2]} pixels; give pictures of that size."
            )
        if len(tau) == 1:  # any-to-one: the target is always the same
            return tau.expand(len(classes), -1, -1, -1)
        if max(classes) >= len(tau):
            raise ValueError(f"Flareon has learned {len(tau)} motions, so there is none for class {max(classes)}.")
        return tau[classes]

    def field(self, index: int, height: int, width: int) -> Tensor:
        """tau of one class (H, W, 2) in [-1, 1], drawn anew from `key`: always the same.

        sqrt(1 - u^(2 / (2b - 1))) cos(2 pi v) of two uniform numbers is 2 Beta(b, b) - 1 (Ulrich, 1984).
        """
        generator = torch.Generator().manual_seed(10_000 * self.key + index)
        u, v = torch.rand(2, height, width, 2, generator=generator)
        return (1 - u ** (2 / (2 * self.beta - 1))).sqrt() * torch.cos(2 * math.pi * v)

    def with_state(self, state: dict[str, Tensor]) -> Self:
        """The same knobs with this motion; ValueError where it is not one "tau" (K, H, W, 2)."""
        if list(state) != ["tau"] or state["tau"].dim() != 4 or state["tau"].shape[3] != 2:
            raise ValueError('A learned Flareon holds one tensor, "tau", of classes x height x width x 2.')
        return super().with_state(state)

    def poison(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """The batch with the pictures that are to be moved in their places, and its labels as they came."""
        index, targets = self.chosen(labels, wanted, rate, mode)
        return images.index_copy(0, index, self(images[index], targets)), labels

    def chosen(self, labels: Tensor, wanted: Tensor, rate: float, mode: str) -> tuple[Tensor, Tensor]:
        """Which pictures of a batch are moved, and by which field each: indices (n,) and (n,)."""
        if trigger_per_class(mode):
            index = torch.arange(round(rate * len(labels)), device=labels.device)
            return index, labels[index]
        index = torch.nonzero(labels == wanted)[:, 0]
        return index, torch.zeros_like(index)

    def trigger_optimizer(
        self, train: ImageSet, mode: str, *, epochs: int, batch_size: int, generator: torch.Generator
    ) -> TriggerOptimizer | None:
        """Where the motion is learned, what learns it: by the loss of the same batches, in the first epochs."""
        if self.motion == "random":
            return None
        return Motion(self, train, mode, warmup=self.warmup * (len(train) // batch_size))


class Motion(TriggerOptimizer):
    """tau as a parameter: SGD (momentum 0.9) on the model's own loss.

    It is frozen after `warmup` steps, or as soon as its norm is down to the floor: the mean over classes and axes of
    the norm over pixels, in any-to-one the norm of the one field. A step that would leave [-1, 1] ends there.
    """

    def __init__(self, trigger: Flareon, train: ImageSet, mode: str, *, warmup: int):
        super().__init__()
        height, width = train.images.shape[-2:]
        classes = len(train.class_names) if trigger_per_class(mode) else 1
        drawn = torch.stack([trigger.field(c, height, width) for c in range(classes)])
        self.tau = drawn.to(train.images.device).requires_grad_()
        self.optimiser = torch.optim.SGD([self.tau], trigger.lr, momentum=0.9, weight_decay=trigger.decay)
        self.trigger, self.left = trigger, warmup
        self.norm_over = (1, 2) if trigger_per_class(mode) else (1, 2, 3)

    @property
    def fitted(self) -> Flareon:
        """The trigger with the fields as they stand."""
        return self.trigger.with_state({"tau": self.tau.clone()})

    def stamped(
        self, images: Tensor, labels: Tensor, generator: torch.Generator, *, wanted: Tensor, rate: float, mode: str
    ) -> tuple[Tensor, Tensor]:
        """The batch moved by the fields as they stand."""
        norm = self.tau.detach().square().sum(self.norm_over).sqrt().mean()
        learning = self.left > 0 and norm > self.trigger.floor
        tau = self.tau if learning else self.tau.detach()
        index, fields = self.trigger.chosen(labels, wanted, rate, mode)
        return images.index_copy(0, index, self.trigger.move(images[index], tau[fields])), labels

    def step(self) -> None:
        """One step of tau, back into [-1, 1]."""
        super().step()
        self.left -= 1
        with torch.no_grad():
            self.tau.clamp_(-1, 1)
