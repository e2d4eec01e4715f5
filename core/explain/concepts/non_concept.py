"""Gram-Schmidt sampling of non-concepts: negatives that hold nothing of the directions in which the concept varies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BASES = ("svd", "gram-schmidt")
TINY = 1e-6
"""Singular values below this share of the largest are dropped."""


@dataclass(frozen=True)
class NonConcept:
    """The concept basis B_C, and the basis B_N of what random pictures hold beside it.

    centre : mu (d,), the mean of the random pictures
    concept : B_C (r, d), orthonormal rows spanning the concept's activations less mu
    basis : B_N (q, d), orthonormal rows spanning the random ones' residuals less mu; B_C B_N^T = 0
    spread : (q,), the random pictures' standard deviation along each row of B_N
    """

    centre: Tensor
    concept: Tensor
    basis: Tensor
    spread: Tensor

    @classmethod
    def of(cls, concept: Tensor, random: Tensor, rank: int, how: str = "svd") -> NonConcept:
        """From activations (n, d) of the concept and (m, d) of random pictures.

        rank : of the concept basis, at most half of the dimensions; with all of them every negative would be mu
        how : "svd", the directions of the largest variation; "gram-schmidt", the literal first pictures, in their order
        """
        centre = random.mean(0)
        rank = min(rank, len(concept), concept.shape[1] // 2)
        span = concept - centre
        rows = orthonormal(span)[:rank] if how == "svd" else gram_schmidt(span[:rank])
        rest = _without(random - centre, rows)
        basis = orthonormal(rest)
        spread = (rest @ basis.T).std(0)
        return cls(centre, rows, basis, spread)

    def residuals(self, random: Tensor) -> Tensor:
        """Random activations (m, d) less their part along the concept basis, n = a - B_C^T B_C (a - mu)."""
        return self.centre + _without(random - self.centre, self.concept)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Negatives (n, d) of the non-concept basis: mu + sum_j c_j b_j with c_j ~ N(0, s_j^2)."""
        drawn = torch.randn(n, len(self.basis), generator=generator, dtype=self.basis.dtype)
        return self.centre + (drawn * self.spread) @ self.basis


def _without(rows: Tensor, basis: Tensor) -> Tensor:
    """Rows (n, d) less their projection on an orthonormal basis (r, d); twice, for the sake of rounding."""
    for _ in range(2):
        rows = rows - (rows @ basis.T) @ basis
    return rows


def orthonormal(rows: Tensor) -> Tensor:
    """An orthonormal basis (r, d) of the span of rows (n, d), largest variation first."""
    _, values, directions = torch.linalg.svd(rows, full_matrices=False)
    return directions[values > TINY * values[0].clamp_min(torch.finfo(rows.dtype).tiny)]


def gram_schmidt(rows: Tensor) -> Tensor:
    """An orthonormal basis (r, d) of the span of rows (n, d), one row after the other."""
    basis = rows.new_zeros(0, rows.shape[1])
    for row in rows:
        rest = _without(row[None], basis)
        if bool(rest.norm() > TINY * row.norm()):
            basis = torch.cat([basis, rest / rest.norm()])
    return basis
