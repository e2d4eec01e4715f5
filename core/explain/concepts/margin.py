"""The adversarial margin: copies of the activations moved a little along the gradient of the classifier's loss."""

from __future__ import annotations

import torch
from torch import Tensor

from core.explain.concepts.planes import fitted

DIRECTIONS = ("away", "toward")


def moved(a: Tensor, sign: float, weights: Tensor, eta: float, direction: str) -> Tensor:
    """a' = a + eta sign w / ||w||, from the boundary ("away") or to it ("toward"); a (S, n, d), w (S, d).

    For a linear score the normalised gradient of the logistic loss of the label `sign` (1 or -1) is -sign w / ||w||;
    written so, it does not underflow on points far from the boundary.
    """
    step = weights / weights.norm(dim=1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    return a + (eta * sign * (1 if direction == "away" else -1)) * step[:, None]


def widened(
    kind: str, concept: Tensor, random: Tensor, eta: float, direction: str, rounds: int, generator: torch.Generator
) -> Tensor:
    """Weights (S, d) after `rounds` of refitting on both the activations (S, n, d), (S, m, d) and their moved copies.

    Each round moves the first activations along the newest weights; 0 rounds are the plain classifier.
    """
    weights, _ = fitted(kind, concept, random, generator)
    for _ in range(rounds):
        copies = moved(concept, 1, weights, eta, direction), moved(random, -1, weights, eta, direction)
        both = torch.cat([concept, copies[0]], 1), torch.cat([random, copies[1]], 1)
        weights, _ = fitted(kind, *both, generator)
    return weights
