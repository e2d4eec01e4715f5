"""ABL: isolate the pictures that are learned fastest, which a backdoor's often are, then unlearn them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import training_copy
from core.networks.predictions import predict
from core.networks.report import with_report
from core.optim.batches import batches, steps_per_epoch
from core.optim.objectives import Metrics, Objective, Pass, ascent, cross_entropy, turn
from core.optim.schedules import stepped
from core.optim.train import train_steps
from core.runs import Progress, Run
from core.training.standard import finished
from core.triggers.poison import Poison

SLICE = 500
"""Images whose losses are ranked between two moments of progress."""


@dataclass(frozen=True)
class ABL(Method):
    """Anti-backdoor learning (Li et al., NeurIPS 2021, arXiv 2110.11571): a training that repairs itself, on poisoned
    data and without any clean set.

    1. Training with the loss L of a batch trapped near gamma, by local gradient ascent sign(L - gamma) L or by
    flooding abs(L - gamma) + gamma: their gradients are the same, sign(L - gamma) grad L, so that there is
    one knob for both. Clean pictures stay at gamma; poisoned ones are learned first and fall below.
    2. The floor(p N) pictures with the lowest loss, in eval mode, are isolated.
    3. Plain training on the others, at a tenth of the learning rate in the last third.
    4. Gradient ascent on the isolated ones.

    All depends on the isolation: where it fails, because the trigger is not what is learned first, the ascent breaks
    the model. So pictures are flipped and shifted in 3. only, as in the released code: in 1. that would move the
    trigger about, and it would be learned later. The sign is that of the batch's mean loss, as there. `ABL.paper()`
    has the epochs and learning rates of that code.
    """

    gamma: float = knob(
        0.5, low=0.0, high=5.0, step=0.05, symbol="γ", help="loss that clean pictures are kept at", paper=0.5
    )
    isolate_epochs: int = knob(5, low=1, high=100, step=1, help="epochs with the loss trapped", paper=10)
    share: float = knob(0.01, low=0.0, high=0.5, step=0.01, symbol="p", help="share of pictures to isolate", paper=0.01)
    epochs: int = knob(12, low=0, high=200, step=1, help="epochs on the other pictures", paper=60)
    unlearn_epochs: int = knob(5, low=0, high=100, step=1, help="epochs of ascent on the isolated ones", paper=5)
    lr: float = knob(0.05, low=1e-4, high=1.0, symbol="η", help="learning rate", paper=0.1)
    unlearn_lr: float = knob(5e-4, low=1e-6, high=0.1, help="learning rate of the ascent", paper=5e-4)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step")
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay")
    flip: bool = knob(True, help="mirror half of the pictures that are not isolated")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels of the pictures that are not isolated")
    poison: Method | None = knob(None, help="how the training data are poisoned, if they are")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.poison is not None and not isinstance(self.poison, Poison):
            raise ValueError(f"ABL.poison = {self.poison!r} does not poison data; give Poison(trigger=...).")

    def run(self, model: nn.Module, train: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """Train a copy of `model` on `train`, poisoned first where `poison` says so.

        The attacker has the data only, so a fixed set of pictures is stamped, whatever the trigger. The
        result carries `trigger`, `target`, `mode`, `poisoned` and `isolated` (indices into `train`), and
        `report`: "losses" (N,) that were ranked, "trapped" (share of the steps that went uphill) and, where
        something was poisoned, "isolation/precision" (share of the isolated that are poisoned) and
        "isolation/recall". Raises ValueError when the loss is not finite.
        """
        generator = torch.Generator().manual_seed(seed)
        poison = self.poison if isinstance(self.poison, Poison) else None
        poisoned = torch.empty(0, dtype=torch.int64)
        if poison is not None:
            train, poisoned = poison.stamp(train, generator)
        train = train.to(device_of(model))
        student = training_copy(model, train.images)
        trapped = Trapped(self.gamma)
        yield from self._train("trap", student, train, self.isolate_epochs, self.lr, trapped, generator)
        losses = yield from losses_of(student, train)
        isolated = losses.argsort(stable=True)[: self.isolated(len(train))]
        rest = torch.ones(len(train), dtype=torch.bool)
        rest[isolated] = False
        others, apart = (train[index.to(train.labels.device)] for index in (rest, isolated))
        yield from self._train("train", student, others, self.epochs, self.lr, cross_entropy, generator)
        yield from self._train(
            "unlearn", student, apart, self.unlearn_epochs, self.unlearn_lr, ascent(cross_entropy), generator
        )
        student = finished(student, poison, poisoned, None)
        student.isolated = isolated
        report: dict[str, Tensor | float] = {"losses": losses, "trapped": trapped.share}
        return with_report(student, report | precision(isolated, poisoned))

    def isolated(self, n: int) -> int:
        """How many of n pictures are isolated: floor(p n)."""
        return int(self.share * n + 1e-9)

    def _train(
        self,
        stage: str,
        student: nn.Module,
        data: ImageSet,
        epochs: int,
        lr: float,
        objective: Objective,
        generator: torch.Generator,
    ) -> Run[None]:
        """SGD on the objective, in place; "train" alone flips and shifts, and lowers its learning rate in the end."""
        total = epochs * steps_per_epoch(data, self.batch_size)
        plain = stage == "train"
        yield from train_steps(
            student,
            batches(data, self.batch_size, generator, flip=self.flip and plain, pad=self.pad if plain else 0),
            torch.optim.SGD(student.parameters(), lr, self.momentum, weight_decay=self.weight_decay),
            stepped(lr, [math.ceil(2 * total / 3)] if plain else []),
            total,
            # Dropout draws apart from the order of the pictures, which does not depend on the network then.
            generator=torch.Generator().manual_seed(generator.initial_seed()),
            objective=objective,
            stage=stage,
        )


class Trapped:
    """The objective of 1.: along sign(L - gamma) grad L; counts how often it went uphill."""

    def __init__(self, gamma: float):
        self.gamma, self.steps, self.up = gamma, 0, 0

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        one_pass = cross_entropy(model, images, labels)

        def trapped() -> Metrics:
            metrics = one_pass()
            self.steps += 1
            if metrics["loss"] < self.gamma:
                self.up += 1
                turn(model)
            return metrics

        return trapped

    @property
    def share(self) -> float:
        """Share of the steps that went uphill."""
        return self.up / max(1, self.steps)


def losses_of(model: nn.Module, data: ImageSet) -> Run[Tensor]:
    """The cross-entropy (N,) of each un-augmented picture, in eval mode, on the CPU."""
    parts = []
    starts = range(0, len(data), SLICE)
    for step, start in enumerate(starts, start=1):
        part = data[start : start + SLICE]
        parts.append(F.cross_entropy(predict(model, part.images), part.labels, reduction="none").cpu())
        yield Progress("isolate", step, len(starts), model=model)
    return torch.cat(parts)


def precision(isolated: Tensor, poisoned: Tensor) -> dict[str, float]:
    """How much of what was isolated is poisoned, and how much of the poison that is; nothing on clean data."""
    if not len(poisoned) or not len(isolated):
        return {}
    hits = int(torch.isin(isolated, poisoned).sum())
    return {"isolation/precision": hits / len(isolated), "isolation/recall": hits / len(poisoned)}
