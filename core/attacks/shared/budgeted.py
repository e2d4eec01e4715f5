"""An attack with a budget eps, whose images do not depend on each other: slice by slice, with the same draws."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.prepared import Prepared
from core.attacks.shared.problem import Problem
from core.knobs import knob
from core.runs import Run


@dataclass(frozen=True)
class Budgeted(Prepared):
    """What differs is `attack`."""

    eps: float = knob(
        8 / 255, low=0.0, high=100.0, step=1 / 255, symbol="ε", help="radius of the ball, pixels in 0-1", primary=True
    )

    def attack(self, model: nn.Module, problem: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """The attack on the images of one slice; whatever is drawn from `generator` (CPU) is drawn for all of them."""
        raise NotImplementedError

    def attacked(self, model: nn.Module, problem: Problem, seed: int) -> Run[Adversarial]:
        """Slice by slice. All images share the draws, so what becomes of one does not depend on the others."""

        def attack(part: slice) -> Run[Adversarial]:
            return self.attack(model, problem[part], torch.Generator().manual_seed(seed))

        return joined((yield from in_chunks(attack, model, problem.images)))
