"""FastCAV: the difference of two means in place of a trained classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.explain.concepts.cav import CAV
from core.explain.concepts.planes import Planes


@dataclass(frozen=True)
class FastCAV(CAV):
    """Fast concept activation vectors (Schmalwasser et al., ICML 2025, https://arxiv.org/abs/2505.17883).

    v is the mean of the concept's activations less the mean of all of them, which points from the random mean to the
    concept's; the threshold lies half-way between the two. Nothing is trained, so it follows a slider. Where the
    activations vary more along some dimensions than along others, a classifier finds a better direction.
    """

    def planes(self, concept: Tensor, random: Tensor, generator: torch.Generator) -> Planes:
        everything = torch.cat([concept.expand(len(random), -1, -1), random], 1)
        return Planes.between(concept.mean(0) - everything.mean(1), concept, random)
