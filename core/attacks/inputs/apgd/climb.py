"""Auto-PGD's ascent: momentum, a step length that halves where progress stalls, and a return to the best point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.inputs.apgd.checkpoints import checkpoints
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.balls import projected, size, steepest
from core.attacks.shared.losses import Loss
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradient, trace
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

MOMENTUM = 0.75
"""a: the share of the new step; what is left of 1 is the last one's."""
RHO = 0.75
"""The step length is kept where more than this share of the steps since the last look raised the loss."""


@dataclass
class Climb:
    """Where the ascent of n images stands; every field has n rows.

    now, before : x_i and x_{i-1};  slope : the gradient at x_i;  loss : what it was at x_i
    best, best_slope, best_loss : where the loss was highest;  eta : step length (n, 1, 1, 1)
    rises : steps since the last look that raised the loss;  halved, seen : whether eta was halved at that look, and
        the highest loss at that time
    """

    now: Tensor
    before: Tensor
    slope: Tensor
    loss: Tensor
    best: Tensor
    best_slope: Tensor
    best_loss: Tensor
    eta: Tensor
    rises: Tensor
    halved: Tensor
    seen: Tensor

    @classmethod
    def begin(cls, start: Tensor, slope: Tensor, loss: Tensor, eps: Tensor) -> Climb:
        """At x_0. As in the authors' code, the first step is compared with a loss of 0, not with that of x_0, and
        the length counts as halved before, so that the second rule is not asked at the first look."""
        return cls(
            start, start, slope, torch.zeros_like(loss), start, slope, loss, 2 * eps, torch.zeros_like(loss),
            torch.ones_like(loss, dtype=torch.bool), loss,
        )  # fmt: skip

    def __getitem__(self, rows: Tensor) -> Climb:
        return Climb(**{name: value[rows] for name, value in vars(self).items()})

    def step(self, problem: Problem, norm: str, first: bool) -> Tensor:
        """x_{i+1}: a projected step of length eta, mixed with the last one."""
        a = 1.0 if first else MOMENTUM
        aim = projected(self.now + self.eta * steepest(self.slope, norm, self.now), problem.images, problem.eps, norm)
        mixed = self.now + a * (aim - self.now) + (1 - a) * (self.now - self.before)
        return projected(mixed, problem.images, problem.eps, norm)

    def take(self, moved: Tensor, slope: Tensor, loss: Tensor) -> None:
        """Go to `moved`, and keep it where the loss is the highest so far."""
        self.before, self.now, self.slope = self.now, moved, slope
        self.rises = self.rises + (loss > self.loss)
        higher = loss > self.best_loss
        self.best, self.best_slope = _where(higher, moved, self.best), _where(higher, slope, self.best_slope)
        self.loss, self.best_loss = loss, torch.where(higher, loss, self.best_loss)

    def look_back(self, window: int) -> None:
        """Halve the length, and go back to the best point, where progress has stalled over the last `window` steps."""
        stalled = self.rises <= RHO * window
        stalled = stalled | ~self.halved & (self.seen >= self.best_loss)
        self.eta = torch.where(stalled[:, None, None, None], self.eta / 2, self.eta)
        self.now, self.slope = _where(stalled, self.best, self.now), _where(stalled, self.best_slope, self.slope)
        self.halved, self.seen, self.rises = stalled, self.best_loss, torch.zeros_like(self.rises)


def _where(rows: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(rows[:, None, None, None], new, old)


class Found:
    """What is known of N images so far: the adversarial ones (the image itself where there is none), whether and at
    which step they were found, passes, and the highest loss."""

    def __init__(self, model: nn.Module, problem: Problem):
        """Ask the model about the images; those that are wrong from the start are done."""
        self.problem, self.images = problem, problem.images.clone()
        self.success = problem.solved(require_finite(predict(model, problem.images)))
        self.steps, self.queries = torch.zeros_like(problem.labels), torch.ones_like(problem.labels)
        self.loss = torch.full_like(problem.images[:, 0, 0, 0], -torch.inf)

    @property
    def left(self) -> Tensor:
        """The places of the images that still stand."""
        return (~self.success).nonzero()[:, 0]

    def see(self, places: Tensor, images: Tensor, solved: Tensor, loss: Tensor, step: int) -> None:
        """Take up a pass over the images at `places`."""
        at = places[solved]
        self.images[at], self.steps[at], self.success[at] = images[solved], step, True
        self.queries[places] += 1
        self.loss[places] = self.loss[places].maximum(loss)

    def result(self) -> Adversarial:
        norms = norms_of(self.problem.images, self.images)
        report = {"loss": self.loss}
        return Adversarial(self.images, self.success, self.success, norms, self.steps, self.queries, report)


def on_sphere(problem: Problem, norm: str, generator: torch.Generator) -> Tensor:
    """x_0 of every image: the same noise, scaled to its budget, so that it starts on the sphere (or at the box)."""
    shape = (1, *problem.images.shape[1:])
    draw = torch.randn(shape, generator=generator) if norm == "l2" else 2 * torch.rand(shape, generator=generator) - 1
    change = problem.allowed(draw.to(problem.images).expand_as(problem.images))
    change = change / size(change, norm).clamp_min(1e-12)[:, None, None, None]
    return (problem.images + problem.eps * change).clamp(0, 1)


def climb(
    model: nn.Module,
    problem: Problem,
    found: Found,
    start: Tensor,
    loss: Loss,
    *,
    norm: str,
    steps: int,
    stop_early: bool,
    number: int,
    of: int,
) -> Run[None]:
    """`steps` steps from `start` for the images of `found` that still stand; `found` is kept up to date.

    stop_early : an image leaves at its first success; otherwise the last adversarial iterate is the one that is kept
    number, of : which of the attack's ascents this is (from 0), and how many it has
    """
    places = found.left
    part, preview, looks = problem[places], PreviewRecorder(), checkpoints(steps)
    moved = start[places]
    at: Climb | None = None
    for step in range(steps + 1):
        logits, slope = gradient(model, moved, partial(loss, part))
        slope, value, solved = part.allowed(slope), loss(part, logits), part.solved(logits)
        found.see(places, moved, solved, value, number * steps + step)
        if at is None:
            at = Climb.begin(moved, slope, value, part.eps)
        else:
            at.take(moved, slope, value)
        if step in looks:
            at.look_back(looks[step])
        numbers = trace(part, logits, success=found.success.float().mean())
        pictures, factor = preview(problem.images, found.images)
        yield Progress("attack", number * (steps + 1) + step + 1, of * (steps + 1), numbers | factor, pictures)
        if stop_early and bool(solved.any()):
            places, part, at = places[~solved], part[~solved], at[~solved]
        if not len(places):
            return
        moved = at.step(part, norm, first=step == 0)
