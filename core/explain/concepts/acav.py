"""A-CAV: concept vectors with an adversarial margin, negatives orthogonal to the concept, and averaged classifiers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.explain.concepts.cav import CAV
from core.explain.concepts.margin import DIRECTIONS, widened
from core.explain.concepts.non_concept import BASES, NonConcept
from core.explain.concepts.planes import CLASSIFIERS, Planes, Scale
from core.knobs import knob

NEGATIVES = ("sampled", "residuals", "random")


@dataclass(frozen=True)
class ACAV(CAV):
    """Adversarial concept activation vectors (Soni et al., 2020, https://arxiv.org/abs/2002.03549).

    A concept direction is credible if its classifier recalls pictures that hold the concept, whatever random pictures
    were drawn. Three steps, of which the paper's abstract confirms the ideas; sizes and details are the lab's own.
    In standardised activations, for one random set:

    1. negatives orthogonal to the concept: n = mu + sum_j c_j b_j, c_j ~ N(0, s_j^2), b_j an orthonormal basis of what
       the random activations hold beside the span of the concept's;
    2. an adversarial margin: the classifier is fitted again on its activations and on copies moved by
       eta = margin * mean ||a|| along the gradient of its loss, away from the boundary or toward it;
    3. the vector is the mean of `average` unit normals, each from other negatives; the threshold lies half-way between
       the means of pictures that no classifier saw.
    """

    average: int = knob(10, low=1, high=200, step=1, symbol="M", help="classifiers whose normals are averaged")
    margin: float = knob(
        0.1, low=0.0, high=2.0, step=0.05, symbol="η", help="how far copies move, in mean lengths of an activation",
        primary=True,
    )  # fmt: skip
    direction: str = knob(
        "away", choices=DIRECTIONS, primary=True,
        help="copies move away from the boundary, as the paper is summarised, or toward it, as an attack would",
    )  # fmt: skip
    rounds: int = knob(1, low=0, high=3, step=1, help="times the copies are moved and the classifier fitted again")
    negatives: str = knob(
        "sampled", choices=NEGATIVES, primary=True,
        help="drawn from the non-concept basis; random pictures less their part along the concept basis; or random "
        "pictures as they are",
    )  # fmt: skip
    rank: int = knob(1, low=0, high=200, step=1, symbol="r", help="dimensions of the concept basis")
    basis: str = knob("svd", choices=BASES, help="how the concept basis is found")
    classifier: str = knob("logistic", choices=CLASSIFIERS, help="the linear classifiers")

    @property
    def sets_per_control(self) -> int:
        """One: a control is averaged over as many classifiers as the vector."""
        return 1

    def planes(self, concept: Tensor, random: Tensor, generator: torch.Generator) -> Planes:
        return Planes.joined([self._averaged(concept, one, generator) for one in random])

    def threshold(self, planes: Planes, concept: Tensor, random: Tensor) -> Planes:
        return Planes.between(planes.normals, concept, random)

    def _averaged(self, concept: Tensor, random: Tensor, generator: torch.Generator) -> Planes:
        """One plane from one random set (m, d)."""
        everything = torch.cat([concept, random])[None]
        scale = Scale.of(everything)
        eta = self.margin * scale(everything).norm(dim=2).mean().item()
        concept, random = scale(concept)[0], scale(random)[0]
        space = NonConcept.of(concept, random, self.rank, self.basis)
        negatives = torch.stack([self._negatives(space, random, len(concept), generator) for _ in range(self.average)])
        concepts = concept.expand(self.average, -1, -1)
        w = widened(self.classifier, concepts, negatives, eta, self.direction, self.rounds, generator)
        mean = (w / w.norm(dim=1, keepdim=True)).mean(0, keepdim=True)
        return scale.planes(mean, torch.zeros(1, dtype=mean.dtype))

    def _negatives(self, space: NonConcept, random: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """Negatives (n, d) for one classifier."""
        if self.negatives == "sampled":
            return space.sample(n, generator)
        chosen = random[torch.randperm(len(random), generator=generator)[:n]]
        return chosen if self.negatives == "random" else space.residuals(chosen)
