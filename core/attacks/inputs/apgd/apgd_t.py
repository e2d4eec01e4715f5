"""APGD-T: Auto-PGD towards each of the likeliest other classes in turn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.inputs.apgd.climb import Found, climb, on_sphere
from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.boundaries import likeliest
from core.attacks.shared.budgeted import Budgeted
from core.attacks.shared.losses import targeted_dlr
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.networks.predictions import predict
from core.runs import Run


@dataclass(frozen=True)
class APGDT(Budgeted):
    """Multi-targeted Auto-PGD (Croce and Hein, ICML 2020, https://arxiv.org/abs/2003.01690).

    The ascent of `APGD` on the targeted difference of logits ratio, -(z_y - z_t) / (z_1 - (z_3 + z_4) / 2), with t the
    likeliest other class of the clean image, then the next, on the survivors. Any class but the label is a success.
    At most K - 1 of the K classes can be aimed at. With three classes z_3 stands for (z_3 + z_4) / 2, with two
    z_t - z_y is raised as it is.

    With a target it aims at that class only, and succeeds when it is reached. Results, report and `stop_early` are
    those of `APGD`; the report also holds "rival", (N,), the class that was aimed at when the image fell, or -1.
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured")
    steps: int = knob(100, low=1, high=1000, step=10, symbol="T", paper=100, help="gradient steps per class")
    targets: int = knob(9, low=1, high=1000, step=1, paper=9, help="classes that are aimed at in turn", primary=True)
    stop_early: bool = knob(True, help="drop each image from the batch at its first success")

    def attack(self, model: nn.Module, problem: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """All classes in turn, for one slice."""
        found, rivals = Found(model, problem), likeliest(problem, predict(model, problem.images), self.targets)
        aimed = torch.full_like(problem.labels, -1)
        for number in range(rivals.shape[1]):
            standing = found.left
            if not len(standing):
                break
            start, towards = on_sphere(problem, self.norm, generator), rivals[:, number]
            yield from climb(
                model, dataclasses.replace(problem, rival=towards), found, start, targeted_dlr, norm=self.norm,
                steps=self.steps, stop_early=self.stop_early, number=number, of=rivals.shape[1],
            )  # fmt: skip
            fallen = standing[found.success[standing]]
            aimed[fallen] = towards[fallen]
        result = found.result()
        return dataclasses.replace(result, report=result.report | {"rival": aimed})
