"""APGD: projected gradient ascent without a step length to choose."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.inputs.apgd.climb import Found, climb, on_sphere
from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.budgeted import Budgeted
from core.attacks.shared.losses import dlr
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.runs import Run


@dataclass(frozen=True)
class APGD(Budgeted):
    """Auto-PGD (Croce and Hein, ICML 2020, https://arxiv.org/abs/2003.01690).

        u = P(x_i + eta · d(grad L(x_i)))
        x_{i+1} = P(x_i + a (u - x_i) + (1 - a) (x_i - x_{i-1})),   a = 0.75, 1 in the first step

    d and P are those of PGD, x_0 lies on the sphere of radius eps. eta starts at 2 eps. At steps 22, 41, 57, … of 100
    it is halved, and the ascent goes back to its best point, where at most 75 % of the steps since the last look raised
    the loss, or where neither the loss has risen nor eta been halved since. So no step length is to be chosen.

    ce : L is the cross-entropy.  dlr : L is the difference of logits ratio, `core.attacks.shared.losses.dlr`, which
    does not change with the scale of the logits; it needs three classes. With a target both aim at it.

    Success counts at any iterate; an image without one is returned as it was. The report holds "loss", (N,), the
    highest one seen. Restarts attack the survivors. `stop_early` drops an image at its first success; without, all
    take every step and the last adversarial iterate is returned, as in the authors' code.
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured")
    loss: str = knob("ce", choices=("ce", "dlr"), symbol="L", help="the loss that is raised", primary=True)
    steps: int = knob(100, low=1, high=1000, step=10, symbol="T", paper=100, help="gradient steps per try")
    restarts: int = knob(1, low=1, high=50, step=1, symbol="R", help="tries with new random starts, on survivors only")
    stop_early: bool = knob(True, help="drop each image from the batch at its first success")

    def attack(self, model: nn.Module, problem: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """All tries of one slice."""
        found, loss = Found(model, problem), dlr if self.loss == "dlr" else Problem.loss
        for number in range(self.restarts):
            if not len(found.left):
                break
            yield from climb(
                model, problem, found, on_sphere(problem, self.norm, generator), loss, norm=self.norm,
                steps=self.steps, stop_early=self.stop_early, number=number, of=self.restarts,
            )  # fmt: skip
        return found.result()
