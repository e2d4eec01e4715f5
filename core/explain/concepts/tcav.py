"""TCAV: a linear classifier of a concept against random pictures, and how class logits change along its normal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.explain.concepts.cav import CAV
from core.explain.concepts.planes import CLASSIFIERS, Planes, Scale, fitted
from core.knobs import knob


@dataclass(frozen=True)
class TCAV(CAV):
    """Testing with concept activation vectors (Kim et al., ICML 2018, https://arxiv.org/abs/1711.11279).

    v is the normal, toward the concept, of a linear classifier of the concept's activations against as many random
    ones, both standardised. S(x) = grad h_k(a) . v with the logit h_k; the score of class k is the share of its
    pictures with S > 0. Repeated for `draws` random sets, and for random concepts in the concept's place.

    The paper has 500 random sets and, in its code, a linear machine with hinge loss by SGD on raw activations. Ours
    are 20, logistic regression, standardised; every split and classifier has a seed.
    """

    classifier: str = knob(
        "logistic", choices=CLASSIFIERS, paper="hinge", help="the linear classifier whose normal is the vector"
    )  # fmt: skip

    def planes(self, concept: Tensor, random: Tensor, generator: torch.Generator) -> Planes:
        random = random[:, : len(concept)]
        concept = concept.expand(len(random), -1, -1)
        scale = Scale.of(torch.cat([concept, random], 1))
        return scale.planes(*fitted(self.classifier, scale(concept), scale(random), generator))
