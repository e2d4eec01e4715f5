"""One change for all pictures: what it is, and how many answers it changes on pictures that it was not made on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.shared.universal_delta import targeted
from core.data.imageset import ImageSet
from core.device import device_of
from core.networks.checks import class_indices, require_logits
from core.networks.predictions import predict

Apply = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) in [0, 1] -> the same with the change."""


@dataclass(frozen=True)
class Fooled:
    """Answers before and after a change, int64 (n,) both, and the class that it is to lead to (None: to any other).

    An answer counts as changed against what the model said before, right or wrong: labels play no part. With a target,
    pictures that were given it before are left out.
    """

    before: Tensor
    after: Tensor
    target: int | None = None

    @property
    def n(self) -> int:
        """The pictures that count."""
        return len(self.before) if self.target is None else int((self.before != self.target).sum())

    @property
    def share(self) -> float:
        """The fooling rate, 0 where no picture counts."""
        if self.target is None:
            hits = self.after != self.before
        else:
            hits = (self.after == self.target) & (self.before != self.target)
        return int(hits.sum()) / max(1, self.n)


@dataclass(frozen=True)
class UniversalChange:
    """What `Universal` and `Patch` return.

    change : delta (C, H, W), or the patch (C, P, P) in [0, 1]
    target : the class that it leads to, None for any other
    on : puts it on images; a patch at places that are drawn by a seed of its own, the same in every call
    blind : puts a blind change of exactly the same size on images, the control
    fit, test, control : answers on the pictures it was made on, on the others, and on the others under `blind`
    passes : the fooling rate after each pass: "fit", "test"
    by_side : of a patch, answers on the test pictures by its side as a share of the picture's: patch and control
    """

    change: Tensor
    target: int | None
    on: Apply
    blind: Apply
    fit: Fooled
    test: Fooled
    control: Fooled
    passes: list[dict[str, float]] = field(default_factory=list)
    by_side: dict[float, tuple[Fooled, Fooled]] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """What a universal attack works on, on the model's device: the pictures it learns from with the answers that the
    model gives to them, the pictures it is judged on with theirs, and the class to reach."""

    fit: ImageSet
    test: ImageSet
    target: int | None

    def judged(self, model: nn.Module, on: Apply) -> tuple[Fooled, Fooled]:
        """The answers under a change: to the pictures it learns from, and to the test pictures."""
        return self._fooled(model, self.fit, on), self.tested(model, on)

    def tested(self, model: nn.Module, on: Apply) -> Fooled:
        """The answers to the test pictures under a change."""
        return self._fooled(model, self.test, on)

    def _fooled(self, model: nn.Module, data: ImageSet, on: Apply) -> Fooled:
        return Fooled(data.labels, predict(model, on(data.pixels)).argmax(1), self.target)

    def result(
        self, model: nn.Module, change: Tensor, on: Apply, blind: Apply, passes: list[dict[str, float]],
        judged: tuple[Fooled, Fooled],
    ) -> UniversalChange:  # fmt: skip
        """What the attack returns, with its control; `judged` are its answers under the change."""
        return UniversalChange(change, self.target, on, blind, *judged, self.tested(model, blind), passes)


def task(model: nn.Module, fit: ImageSet, test: ImageSet, target: int | None, n: int, seed: int) -> Task:
    """At most n pictures of `fit`, drawn by `seed`, and `test`, both labelled with the model's own answers.

    With a target, `fit` has no picture that is given it already. Raises ValueError where no picture is left, or the
    target is not a class of the model.
    """
    if not len(fit) or not len(test):
        raise ValueError("A universal attack needs pictures to learn from and others to be judged on; give both.")
    device = device_of(model)
    answered = []
    for data in (fit.sample(n, seed), test):
        data = data.to(device)
        logits = require_logits(predict(model, data.images))
        answered.append(dataclasses.replace(data, labels=logits.argmax(1)))
    learned, judged = answered
    if target is not None:
        class_indices(target, "target", 1, logits.shape[1], device)
        learned = learned[learned.labels != target]
        if not len(learned):
            raise ValueError(f"The model already answers {target} to every picture, so there is nothing to learn.")
    return Task(learned, judged, target)


def raised(target: int | None, answers: Tensor) -> Callable[[Tensor], Tensor]:
    """The loss (N,) that a universal attack lowers: CE of the target, or minus CE of the answers (N,) given before."""
    if target is not None:
        return targeted(target)
    return lambda logits: -F.cross_entropy(logits.float(), answers, reduction="none")


def fooled(target: int | None, answers: Tensor, logits: Tensor) -> Tensor:
    """The share of logits (N, K) that give the target, or another answer than before."""
    given = logits.argmax(1)
    return (given != answers if target is None else given == target).float().mean()
