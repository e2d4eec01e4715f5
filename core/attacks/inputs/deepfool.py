"""DeepFool: step to the nearest class boundary of the linearised network until the class changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.balls import length
from core.attacks.shared.boundaries import gaps, likeliest, nearest
from core.attacks.shared.drawless import Drawless
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradients, measured, trace
from core.knobs import knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Progress, Run

BEYOND = 1e-4
"""What is added to every distance, so that a step does not end on the boundary itself."""


@dataclass(frozen=True)
class DeepFool(Drawless):
    """DeepFool (Moosavi-Dezfooli, Fawzi, Frossard, CVPR 2016, https://arxiv.org/abs/1511.04599).

    At x_t the network is taken as linear. For each rival class k, with f_k = z_k - z_y,

        l2 : distance |f_k| / ||grad f_k||_2, step (distance + 1e-4) · grad f_k / ||grad f_k||_2
        linf : distance |f_k| / ||grad f_k||_1, step (distance + 1e-4) · sign(grad f_k)

    and the step to the nearest boundary is taken. The rivals are the likeliest classes of the clean image. With a
    target there is one boundary, between the target and the class that is predicted at x_t.

    There is no budget: the change is about the smallest that succeeds. Where no step is left the last point is
    returned, with `success` false. `accumulate` sums the steps and stretches the sum by 1 + eta from the clean image,
    as in the paper; without, each step is stretched where it is made, as in some libraries.
    """

    norm: str = knob("l2", choices=("l2", "linf"), symbol="p", help="how the size of the change is measured")
    steps: int = knob(50, low=1, high=1000, step=1, symbol="T", paper=50, help="steps at most", primary=True)
    candidates: int = knob(
        10, low=2, high=1000, step=1, paper=10, help="likeliest classes whose boundaries are tried, its own among them"
    )
    overshoot: float = knob(0.02, low=0.0, high=1.0, symbol="η", paper=0.02, help="how far beyond the boundary")
    accumulate: bool = knob(True, help="stretch the sum of the steps, not each step", paper=True)

    def attack(self, model: nn.Module, problem: Problem) -> Run[Adversarial]:
        """All steps of one chunk; an image stays where it is once its class has changed."""
        rivals = likeliest(problem, require_finite(predict(model, problem.images)), self.candidates - 1)
        walked, adversarial = torch.zeros_like(problem.images), problem.images.clone()
        taken, queries = torch.zeros_like(problem.labels), torch.full_like(problem.labels, 2)
        active, preview = torch.arange(len(problem), device=walked.device), PreviewRecorder()
        for step in range(1, self.steps + 1):
            part, rival = problem[active], rivals[active]
            logits, gap, slopes = gradients(model, adversarial[active], partial(gaps, part, rival))
            queries[active] += 1
            left = ~part.solved(logits)
            numbers = trace(part, logits, success=1 - left.sum() / len(problem))
            active, part = active[left], part[left]
            distance, _, slope = nearest(part, gap[left], slopes[left], self.norm)
            move = self._move(distance, slope)
            walked[active] += move
            if self.accumulate:
                adversarial[active] = (part.images + (1 + self.overshoot) * walked[active]).clamp(0, 1)
            else:
                adversarial[active] = (adversarial[active] + (1 + self.overshoot) * move).clamp(0, 1)
            taken[active] = step
            pictures, factor = preview(problem.images, adversarial)
            yield Progress("attack", step, self.steps, numbers | factor, pictures)
            if not len(active):
                break
        return measured(model, problem, adversarial, taken, queries)

    def _move(self, distance: Tensor, slope: Tensor) -> Tensor:
        """The step (N, C, H, W) to a boundary at this distance (N,)."""
        direction = slope / length(slope) if self.norm == "l2" else slope.sign()
        return (distance + BEYOND)[:, None, None, None] * direction
