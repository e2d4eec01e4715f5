"""AutoAttack: an image is robust only if it survives four different attacks without a setting to choose."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.inputs.apgd import APGD, APGDT
from core.attacks.inputs.autoattack.cascade import Attack, Cascade
from core.attacks.inputs.autoattack.warnings import warnings
from core.attacks.inputs.fab import FAB
from core.attacks.inputs.square import Square
from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.prepared import Prepared
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.networks.checks import require_finite
from core.networks.predictions import predict
from core.runs import Run

QUICK = 2
"""Stages of the quick version."""


@dataclass(frozen=True)
class AutoAttack(Prepared):
    """AutoAttack, standard version (Croce and Hein, ICML 2020, https://arxiv.org/abs/2003.01690).

    Images that are wrong from the start are broken. Then four attacks, each on the survivors of those before:

        APGD-CE    100 steps on the cross-entropy
        APGD-T     100 steps on the targeted DLR loss towards each of the 9 likeliest other classes
        FAB-T      100 steps towards each of these; a success within eps counts
        Square     5,000 queries without gradients

    The model is asked about every success once more. `quick` leaves out the last two, which rarely break what the
    first two have left; its robust accuracy is an upper bound on that of all four. With a target every stage aims at
    it, and images that reach it are broken. With fewer than ten classes fewer are aimed at; with fewer than four the
    losses are those that `APGDT` names, and the report says so.

    success : broken.  images : the adversarial one, or the image itself where it is robust
    report : "stage", int64 (N,), the stage that broke the image, from 1, 0 for wrong from the start, -1 for robust;
        "stages", a list of `Stage`; "robust", the share that is left; "warnings", sentences
    """

    norm: str = knob("linf", choices=("linf", "l2"), symbol="p", help="how the size of the change is measured")
    eps: float = knob(
        8 / 255, low=0.0, high=100.0, step=1 / 255, symbol="ε", help="radius of the ball, pixels in 0-1", primary=True
    )
    version: str = knob(
        "standard", choices=("standard", "quick"), help="all four attacks, or the two APGD only", primary=True
    )
    steps: int = knob(100, low=1, high=1000, step=10, symbol="T", paper=100, help="steps of APGD and FAB-T, per class")
    targets: int = knob(9, low=1, high=1000, step=1, paper=9, help="classes that APGD-T and FAB-T aim at")
    queries: int = knob(5000, low=1, high=100_000, step=100, symbol="Q", paper=5000, help="queries of Square")

    def attacked(self, model: nn.Module, problem: Problem, seed: int) -> Run[Adversarial]:
        """The stages in turn, on all images; `seed` is that of every stage's draws, which all images share."""
        logits, again = (require_finite(predict(model, problem.images)) for _ in range(2))
        cascade = Cascade(problem, problem.solved(logits), queries=2)
        for name, attack in self._attacks(seed):
            if not len(cascade.left):
                break
            yield from cascade.stage(name, attack, model)
        return cascade.result(warnings(problem, logits, again, cascade.stages))

    def _attacks(self, seed: int) -> list[tuple[str, Attack]]:
        """The stages' names, and how each attacks the images of a slice."""

        def seeded(method: APGD | APGDT | Square) -> Attack:
            return lambda model, part: method.attack(model, part, torch.Generator().manual_seed(seed))

        norm, eps = self.norm, self.eps
        found: list[tuple[str, Attack]] = [
            ("APGD-CE", seeded(APGD(norm=norm, eps=eps, steps=self.steps))),
            ("APGD-T", seeded(APGDT(norm=norm, eps=eps, steps=self.steps, targets=self.targets))),
            ("FAB-T", FAB(norm=norm, steps=self.steps, targets=self.targets).attack),
            ("Square", seeded(Square(norm=norm, eps=eps, queries=self.queries, rescale=False))),
        ]
        return found[:QUICK] if self.version == "quick" else found
