"""Carlini and Wagner's attack: the smallest L2 change, by Adam and a search for the weight of success."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.drawless import Drawless
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradient, trace
from core.knobs import knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

INSIDE = 0.999999
"""Pixels are drawn in by this factor, as 0 and 1 themselves lie at infinity in tanh space."""
CHECKS, BETTER = 10, 0.9999
"""Looks at the loss in a round, and the share of its last value that it must fall below to go on."""
APART = 10
"""Steps between two looks at least: Adam may overshoot for a few steps and still get nearer."""
GROWTH = 10.0
"""What c is multiplied by after a failure, as long as no c has succeeded."""


@dataclass(frozen=True)
class CarliniWagner(Drawless):
    """The L2 attack of Carlini and Wagner (IEEE S&P 2017, https://arxiv.org/abs/1608.04644).

        minimise over u:  ||x' - x||_2^2 + c · max(0, h(x') + kappa),   x' = (tanh(w_0 + u) + 1) / 2

    with w_0 = atanh(2x - 1), so that x' lies in [0, 1], and h the margin in logits: z_y - max of the others, or, with a
    target, max of the others - z_t. Adam takes the steps. Each image has a c of its own, found by bisection over
    `rounds`: a success makes it the upper bound, a failure the lower one. The closest image with h < -kappa that was
    seen at any step is returned; the image itself, with `success` false, where there was none.

    `stop_early` ends an image's round when its loss has stopped falling.
    """

    confidence: float = knob(
        0.0, low=0.0, high=100.0, step=0.5, symbol="κ", paper=0.0, help="lead in logits that counts as success"
    )
    steps: int = knob(200, low=1, high=10_000, step=10, symbol="T", paper=10_000, help="steps of Adam per round")
    rounds: int = knob(5, low=1, high=20, step=1, paper=9, help="values of c that are tried", primary=True)
    c: float = knob(0.01, low=1e-4, high=1000.0, symbol="c", paper=1e-3, help="the first weight of success")
    lr: float = knob(0.01, low=1e-4, high=1.0, symbol="η", paper=0.01, help="learning rate of Adam")
    stop_early: bool = knob(True, help="end a round when the loss has stopped falling")

    def attack(self, model: nn.Module, problem: Problem) -> Run[Adversarial]:
        """The bisection over c for one chunk."""
        best = Closest(problem, solved=problem.solved(require_finite(predict(model, problem.images))))
        tried = torch.arange(len(problem), device=best.images.device)[best.distance > 0]
        c = torch.full_like(best.distance, self.c)
        low, high = torch.zeros_like(c), torch.full_like(c, torch.inf)
        for number in range(self.rounds if len(tried) else 0):
            won = yield from self._round(model, problem, best, c, tried, number)
            high, low = torch.where(won, c, high), torch.where(won, low, c)
            c = torch.where(high.isinf(), GROWTH * c, (low + high) / 2)
        success = best.distance.isfinite()
        norms = norms_of(problem.images, best.images)
        return Adversarial(best.images, success, success, norms, best.steps, best.queries)

    def _round(
        self, model: nn.Module, problem: Problem, best: Closest, c: Tensor, tried: Tensor, number: int
    ) -> Run[Tensor]:
        """One c for each image, on those `tried`: bool (N,), whether a success was seen. `best` is kept up to date."""
        origin = torch.atanh((2 * problem.images - 1) * INSIDE)
        centre, u = (origin.tanh() + 1) / 2, torch.zeros_like(origin)
        adam = torch.optim.Adam([u], self.lr)
        won, falling = torch.zeros_like(c, dtype=torch.bool), torch.full_like(c, torch.inf)
        left, every, preview = tried, max(APART, math.ceil(self.steps / CHECKS)), PreviewRecorder()
        for step in range(1, self.steps + 1):
            part, at = problem[left], (origin + u)[left].tanh()
            now, weight = part.within((at + 1) / 2), c[left]
            logits, slope = gradient(model, now, partial(self._penalty, part, weight))
            away = part.allowed(now - centre[left])
            u.grad = torch.zeros_like(u)
            u.grad[left] = part.allowed(slope + 2 * away) * (1 - at.square()) / 2
            margin = part.margin(logits)
            won[left] |= best.see(left, now, margin < -self.confidence, number * self.steps + step)
            adam.step()
            if self.stop_early and step % every == 0:
                loss = away.square().sum((1, 2, 3)) + self._penalty(part, weight, logits)
                goes_on = loss < BETTER * falling[left]
                falling[left] = loss
                left = left[goes_on]
            numbers = trace(part, logits, success=best.distance.isfinite().float().mean())
            pictures, factor = preview(problem.images, best.images)
            yield Progress(
                "attack", number * self.steps + step, self.rounds * self.steps, numbers | factor, pictures
            )
            if not len(left):
                break
        return won

    def _penalty(self, problem: Problem, c: Tensor, logits: Tensor) -> Tensor:
        """c · max(0, h + kappa), (N,)."""
        return c * (problem.margin(logits) + self.confidence).clamp_min(0)


class Closest:
    """The closest successes so far: images (N, C, H, W), their L2 distance (N,), infinite where there is none, the step
    that each was seen at and the passes spent (N,)."""

    def __init__(self, problem: Problem, solved: Tensor):
        self.problem, self.images = problem, problem.images.clone()
        self.distance = torch.zeros_like(problem.images[:, 0, 0, 0]).masked_fill(~solved, torch.inf)
        self.steps, self.queries = torch.zeros_like(problem.labels), torch.ones_like(problem.labels)

    def see(self, places: Tensor, images: Tensor, success: Tensor, step: int) -> Tensor:
        """Take up what is closer; returns `success` (n,) again."""
        distance = torch.linalg.vector_norm((images - self.problem.images[places]).flatten(1), dim=1)
        closer = success & (distance < self.distance[places])
        at = places[closer]
        self.images[at], self.distance[at], self.steps[at] = images[closer], distance[closer], step
        self.queries[places] += 1
        return success
