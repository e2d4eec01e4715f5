"""Linear CKA: how similar two representations of the same images are."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """X X' (N, N) of features (N, ...), less their mean: all that linear CKA needs; float64, on the CPU."""
    flat = features.flatten(1)
    flat = flat - flat.mean(0)
    return (flat @ flat.T).cpu().double()


def linear_cka(x: Tensor, y: Tensor, *, debiased: bool = False) -> float:
    """Linear centred kernel alignment (Kornblith et al., ICML 2019, https://arxiv.org/abs/1905.00414).

    CKA(X, Y) = HSIC(XX', YY') / sqrt(HSIC(XX', XX') HSIC(YY', YY')), with centred Gram matrices.
    Symmetric, and the same after any rotation or scaling of the features; 1 for X = Y.

    x, y : (N, ...), the features of the same N images; their widths may differ
    debiased : the plain estimator lies in [0, 1] and is far from 0 for unrelated features that
        outnumber the images (about 1 / (1 + N / p) for p independent ones). The debiased one (HSIC
        of Song et al., JMLR 2012) is about 0 there, and may be negative; it needs N > 3.
    Returns NaN where one representation does not vary at all.
    """
    return cka_of_grams(gram(x), gram(y), debiased=debiased)


def cka_of_grams(k: Tensor, l: Tensor, *, debiased: bool = False) -> float:  # noqa: E741
    """`linear_cka` from the Gram matrices (N, N) of both representations."""
    if k.shape != l.shape or k.ndim != 2 or len(k) < (4 if debiased else 2):
        raise ValueError(
            f"CKA compares the same images twice, at least {4 if debiased else 2} of them, not {len(k)} and {len(l)}."
        )
    hsic = _debiased if debiased else _biased
    norm = hsic(k, k) * hsic(l, l)
    return hsic(k, l) / math.sqrt(norm) if norm > 0 else math.nan


def _biased(k: Tensor, l: Tensor) -> float:  # noqa: E741
    """tr(K H L H), without the factor 1 / (N - 1)², which cancels."""
    return float((_centred(k) * _centred(l)).sum())


def _centred(k: Tensor) -> Tensor:
    rows = k.mean(0, keepdim=True)
    return k - rows - rows.T + k.mean()


def _debiased(k: Tensor, l: Tensor) -> float:  # noqa: E741
    """tr(K~ L~) + 1'K~1 1'L~1 / ((N-1)(N-2)) - 2 / (N-2) 1'K~L~1, diagonals set to 0, up to 1 / (N (N-3))."""
    n = len(k)
    k, l = k - torch.diag(k.diagonal()), l - torch.diag(l.diagonal())  # noqa: E741
    both = (k * l).sum() + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k.sum(0) @ l.sum(1))
    return float(both)
