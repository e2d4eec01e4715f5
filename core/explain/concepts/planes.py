"""Linear classifiers in activation space, seeded, and the planes they give; several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.linear_model import SGDClassifier
from torch import Tensor

from core.explain.concepts.logistic import logistic

CLASSIFIERS = ("logistic", "hinge")


@dataclass(frozen=True)
class Planes:
    """S planes v . a + b = 0, above 0 on the concept's side.

    normals : (S, d), of length one, so that values are distances
    biases : (S,)
    """

    normals: Tensor
    biases: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Planes]) -> Planes:
        return cls(torch.cat([part.normals for part in parts]), torch.cat([part.biases for part in parts]))

    @classmethod
    def between(cls, directions: Tensor, concept: Tensor, random: Tensor) -> Planes:
        """Across directions (S, d), half-way between the means of activations (n, d) and (m, d), or (S, m, d)."""
        lengths = directions.norm(dim=1, keepdim=True)
        if not bool((lengths > 0).all()):
            raise ValueError(
                "The layer gives the same activations for pictures with the concept and without it, so no direction "
                "leads to it; choose another layer."
            )
        normals = directions / lengths
        middle = (concept.mean(-2) + random.mean(-2)) / 2
        return cls(normals, -(normals * middle).sum(1))

    def __call__(self, activations: Tensor) -> Tensor:
        """Distances (S, N) of activations (N, d)."""
        return self.normals.to(activations) @ activations.T + self.biases.to(activations)[:, None]


@dataclass(frozen=True)
class Scale:
    """Standardised coordinates (a - mean) / std, in which a classifier is fitted; std 0 counts as 1.

    mean, std : (S, 1, d)
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, activations: Tensor) -> Scale:
        """Of activations (S, n, d)."""
        std = activations.std(1, unbiased=False, keepdim=True)
        return cls(activations.mean(1, keepdim=True), std.where(std > 0, 1))

    def __call__(self, activations: Tensor) -> Tensor:
        return (activations - self.mean) / self.std

    def planes(self, weights: Tensor, biases: Tensor) -> Planes:
        """The planes w . (a - mean) / std + b = 0 of weights (S, d): their normals are w / std, not w."""
        normals = weights / self.std[:, 0]
        lengths = normals.norm(dim=1).clamp_min(torch.finfo(normals.dtype).tiny)
        offsets = biases - (normals * self.mean[:, 0]).sum(1)
        return Planes(normals / lengths[:, None], offsets / lengths)


def fitted(kind: str, concept: Tensor, random: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Weights (S, d), toward the concept, and biases (S,) of linear classifiers of (S, n, d) against (S, m, d).

    kind : "logistic" (C = 1), or "hinge", as in the reference TCAV (SGD, alpha = 0.01, at most 1,000 epochs)
    generator : seeds the order in which SGD sees the pictures; logistic regression draws nothing
    """
    x = torch.cat([concept, random], 1)
    y = torch.cat([torch.ones(len(x), concept.shape[1]), torch.zeros(len(x), random.shape[1])], 1).to(x)
    if kind == "logistic":
        return logistic(x, y)
    seeds = torch.randint(2**31, (len(x),), generator=generator).tolist()
    machines = [
        SGDClassifier(alpha=0.01, max_iter=1000, tol=1e-3, random_state=seed).fit(one.numpy(), y[0].numpy())
        for one, seed in zip(x, seeds, strict=True)
    ]
    coefficients = torch.stack([torch.from_numpy(machine.coef_[0]) for machine in machines])
    return coefficients, torch.tensor([float(machine.intercept_[0]) for machine in machines], dtype=x.dtype)
