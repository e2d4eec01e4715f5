"""MI-FGSM: signed steps along a running sum of the gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.ascent import ascend
from core.attacks.shared.budgeted import Budgeted
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.runs import Run


@dataclass(frozen=True)
class MIFGSM(Budgeted):
    """Momentum iterative FGSM (Dong et al., CVPR 2018, https://arxiv.org/abs/1710.06081).

        m_t = mu · m_{t-1} + g_t / ||g_t||_1,    x_t = P(x_{t-1} + alpha · sign(m_t)),    m_0 = 0, x_0 = x

    where g_t is the gradient of the cross-entropy at x_{t-1} and P the projection on ||x_t - x||_inf <= eps and on
    [0, 1]. The momentum keeps to directions that help at many iterates, which is meant to make the change work on
    other models too. mu = 0 is PGD without a random start.
    """

    eps: float = knob(
        8 / 255, low=0.0, high=1.0, step=1 / 255, symbol="ε", help="largest change of a pixel, range 0-1", primary=True
    )
    alpha: float = knob(2 / 255, low=0.0, high=1.0, step=1 / 255, symbol="α", help="length of one step, pixels in 0-1")
    steps: int = knob(10, low=1, high=1000, step=1, symbol="T", help="gradient steps", primary=True)
    momentum: float = knob(1.0, low=0.0, high=2.0, step=0.1, symbol="μ", paper=1.0, help="what is kept of the sum")
    stop_early: bool = knob(True, help="drop each image from the batch at its first success")

    def attack(self, model: nn.Module, problem: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """All steps of one slice; nothing is drawn."""
        total, pgd = torch.zeros_like(problem.images), PGD(eps=self.eps, alpha=self.alpha)

        def advance(now: Tensor, slope: Tensor, part: Problem, places: Tensor) -> Tensor:
            length = slope.abs().sum((1, 2, 3), keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
            total[places] = self.momentum * total[places] + slope / length
            return pgd.step(now, total[places], part.images, part.eps)

        return ascend(model, problem, problem.images, self.steps, advance, stop_early=self.stop_early)
