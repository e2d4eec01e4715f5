"""FAB: project onto the linearised boundary, and stay near the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.inputs.fab.hyperplane import onto
from core.attacks.shared.adversarial import Adversarial, norms_of
from core.attacks.shared.balls import size
from core.attacks.shared.boundaries import gaps, likeliest, nearest
from core.attacks.shared.drawless import Drawless
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradients, trace
from core.knobs import knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

ALPHA, ETA, BETA = 0.1, 1.05, 0.9
"""The most that the clean image's projection weighs, the stretch of both projections, the step back of a success."""


@dataclass(frozen=True)
class FAB(Drawless):
    """Fast adaptive boundary attack (Croce and Hein, ICML 2020, https://arxiv.org/abs/1907.02044).

    The boundary f_k = z_k - z_y = 0 is linearised at x_i. With d_1 and d_2 the smallest changes, in the norm and inside
    [0, 1], that move x_i and the clean image x onto it,

        x_{i+1} = (1 - alpha) (x_i + 1.05 d_1) + alpha (x + 1.05 d_2),  alpha = min(|d_1| / (|d_1| + |d_2|), 0.1)

    and after a success x_{i+1} steps back, to x + 0.9 (x_{i+1} - x). The closest success is returned; the image itself,
    with `success` false, where there was none. There is no budget: the attack looks for the smallest change.

    `targeted` is FAB-T: the boundary towards each of the likeliest `targets` classes in turn, with one gradient per
    step; without, the nearest boundary of all K - 1 at each step. With a target it is the only class.
    """

    norm: str = knob("linf", choices=("linf", "l2", "l1"), symbol="p", help="how the size of the change is measured")
    steps: int = knob(100, low=1, high=1000, step=10, symbol="T", paper=100, help="steps per class", primary=True)
    targeted: bool = knob(True, help="FAB-T: one class after the other, not the nearest at each step", paper=True)
    targets: int = knob(9, low=1, high=1000, step=1, paper=9, help="classes that FAB-T aims at in turn", primary=True)

    def attack(self, model: nn.Module, problem: Problem) -> Run[Adversarial]:
        """All classes in turn, for one slice. Where the problem has a budget, a success within it is enough."""
        logits = require_finite(predict(model, problem.images))
        best = Nearest(problem, self.norm, problem.solved(logits))
        rivals = likeliest(problem, logits, self.targets if self.targeted else problem.classes - 1)
        turns = rivals.split(1, 1) if self.targeted else (rivals,)
        for turn, towards in enumerate(turns):
            yield from self._turn(model, problem, best, towards, turn, len(turns))
        return best.result()

    def _turn(
        self, model: nn.Module, problem: Problem, best: Nearest, towards: Tensor, turn: int, turns: int
    ) -> Run[None]:
        """`steps` steps to the boundaries of the classes `towards` (N, k); `best` is kept up to date."""
        places, preview = best.open(), PreviewRecorder()
        at = problem.images[places]
        for step in range(1, self.steps + 1 if len(places) else 0):
            part = problem[places]
            logits, gap, slopes = gradients(model, at, partial(gaps, part, towards[places]))
            _, gap, slope = nearest(part, gap, slopes, self.norm)
            at = part.within(self._towards(part, at, gap, slope))
            logits = require_finite(predict(model, at))
            won = part.solved(logits)
            best.see(places, at, won, turn * self.steps + step)
            at = torch.where(won[:, None, None, None], part.images + BETA * (at - part.images), at)
            numbers = trace(part, logits, success=best.success.float().mean())
            pictures, factor = preview(problem.images, best.images)
            yield Progress("attack", turn * self.steps + step, turns * self.steps, numbers | factor, pictures)
            open_ = ~best.within[places]
            places, at = places[open_], at[open_]
            if not len(places):
                break

    def _towards(self, part: Problem, at: Tensor, gap: Tensor, slope: Tensor) -> Tensor:
        """x_{i+1} before it is judged."""
        clean, flat, w = part.images.flatten(1), at.flatten(1), slope.flatten(1)
        lack = torch.cat([-gap, -gap + (w * (flat - clean)).sum(1)])  # of <w, x_i> and <w, x> to the hyperplane
        moves = onto(torch.cat([flat, clean]), torch.cat([w, w]), lack, self.norm)
        one, two = moves.reshape(2, *at.shape)
        near, far = (size(move, self.norm).clamp_min(1e-8) for move in (one, two))
        alpha = (near / (near + far)).clamp_max(ALPHA)[:, None, None, None]
        return ((1 - alpha) * (at + ETA * one) + alpha * (part.images + ETA * two)).clamp(0, 1)


class Nearest:
    """The closest successes so far: images (N, C, H, W), their distance (N,), infinite where there is none, whether it
    lies within the budget, the step that each was seen at, and passes."""

    def __init__(self, problem: Problem, norm: str, solved: Tensor):
        self.problem, self.norm, self.images = problem, norm, problem.images.clone()
        self.distance = torch.zeros_like(problem.images[:, 0, 0, 0]).masked_fill(~solved, torch.inf)
        self.within = solved.clone()
        self.steps, self.queries = torch.zeros_like(problem.labels), torch.ones_like(problem.labels)

    def open(self) -> Tensor:
        """The places of the images that are not within their budget yet."""
        return (~self.within).nonzero()[:, 0]

    def see(self, places: Tensor, images: Tensor, success: Tensor, step: int) -> None:
        """Take up what is closer."""
        distance = size(images - self.problem.images[places], self.norm)
        closer = success & (distance < self.distance[places])
        at = places[closer]
        self.images[at], self.distance[at], self.steps[at] = images[closer], distance[closer], step
        if self.problem.budget is not None:
            self.within |= self.distance <= self.problem.eps.flatten()
        self.queries[places] += 2

    @property
    def success(self) -> Tensor:
        """bool (N,): there is a success, within the budget where there is one."""
        return self.distance.isfinite() if self.problem.budget is None else self.within

    def result(self) -> Adversarial:
        norms = norms_of(self.problem.images, self.images)
        return Adversarial(self.images, self.success, self.success, norms, self.steps, self.queries)
