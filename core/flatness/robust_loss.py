"""The loss that is measured at each point of weight space: cross-entropy under attack, or without."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.attacks.shared.chunks import in_chunks
from core.attacks.shared.problem import Problem, gradient, prepare
from core.device import autocast, device_of
from core.knobs import Method, knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run


@dataclass(frozen=True)
class Losses:
    """What was found on N pictures.

    images : (N, C, H, W), the pictures at which the loss was taken
    loss : cross-entropy in nats (N,)
    right : bool (N,), whether they are still classified as their class
    """

    images: Tensor
    loss: Tensor
    right: Tensor

    @property
    def mean(self) -> float:
        """Mean loss in nats."""
        return self.loss.double().mean().item()

    @property
    def accuracy(self) -> float:
        """Share of the pictures that are classified as their class."""
        return self.right.double().mean().item()


@dataclass(frozen=True)
class RobustLoss(Method):
    """L(w) = mean_i max over ||d||_inf <= eps of CE(f_w(x_i + d), y_i), the maximum by PGD; the base of what is
    measured here.

    Every picture takes all steps and the iterate with the highest loss counts, the start and the last one among
    them (Stutz et al., ICCV 2021). loss = clean leaves the pictures as they are. The ascent runs in bfloat16 where
    that pays; the loss is that of the best iterate and of the last one in full precision, whichever is higher.
    """

    loss: str = knob("robust", choices=("robust", "clean"), help="on attacked pictures, or on the pictures as they are")
    eps: float = knob(8 / 255, low=0.0, high=0.5, step=1 / 255, symbol="ε", help="radius of the attack, pixels in 0-1")
    alpha: float = knob(
        2 / 255, low=0.0, high=0.5, step=1 / 255, symbol="α", paper=0.007, help="length of one step, pixels in 0-1"
    )
    steps: int = knob(10, low=1, high=200, step=1, symbol="T", paper=20, help="gradient steps of the attack")

    @property
    def attack(self) -> PGD:
        """The attack, of which no picture leaves the batch early."""
        return PGD(eps=self.eps, alpha=self.alpha, steps=self.steps, stop_early=False)

    def losses(self, model: nn.Module, images: Tensor, labels: Tensor, seed: int, tries: int = 1) -> Run[Losses]:
        """The loss of `model` at its weights as they stand; the best of `tries` random starts for each picture.

        The same seed gives the same random starts, so that two weights are compared by the same attack.
        """
        problem = prepare(model, images, labels, None, None)
        if self.loss == "clean":
            yield Progress("loss", 1, 1)
            return judged(model, problem, problem.images)
        generator, best = torch.Generator().manual_seed(seed), None
        for _ in range(tries):
            climb = partial(_climb, self.attack, model, problem, self.attack.start(problem.images, generator=generator))
            parts = yield from in_chunks(climb, model, problem.images)
            found = Losses(*(torch.cat(each) for each in zip(*map(_fields, parts), strict=True)))
            best = found if best is None else higher(best, found)
        assert best is not None
        return best


def judged(model: nn.Module, problem: Problem, images: Tensor) -> Losses:
    """The loss on `images`, in full precision."""
    logits = require_finite(predict(model, images))
    loss = F.cross_entropy(logits, problem.labels, reduction="none")
    return Losses(images, loss, logits.argmax(1) == problem.labels)


def higher(a: Losses, b: Losses) -> Losses:
    """For each picture the one with the higher loss."""
    wins = b.loss > a.loss
    images = torch.where(wins[:, None, None, None], b.images, a.images)
    return Losses(images, torch.where(wins, b.loss, a.loss), torch.where(wins, b.right, a.right))


def _climb(attack: PGD, model: nn.Module, problem: Problem, start: Tensor, chunk: slice) -> Run[Losses]:
    """Ascent on one chunk of the pictures, and the loss at its best point."""
    part, now = problem[chunk], start[chunk]
    best, best_loss = now, torch.full_like(part.labels, -torch.inf, dtype=torch.float32)
    for step in range(1, attack.steps + 1):
        with autocast(device_of(model)):
            logits, slope = gradient(model, now, part.loss)
        loss = part.loss(logits.float())
        best = torch.where((loss > best_loss)[:, None, None, None], now, best)
        best_loss = torch.maximum(best_loss, loss)
        now = attack.step(now, slope, part.images)
        yield Progress("attack", step, attack.steps)
    return higher(judged(model, part, best), judged(model, part, now))


def _fields(found: Losses) -> tuple[Tensor, Tensor, Tensor]:
    return found.images, found.loss, found.right
