"""How well one measure orders another: of several models, or of the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation with its 95 % interval by the bootstrap over the n pairs."""

    value: float
    low: float
    high: float
    n: int


def spearman(x: Sequence[float], y: Sequence[float], *, resamples: int = 2000, seed: int = 0) -> Correlation | None:
    """Pearson's correlation of the ranks (ties share their mean rank), in [-1, 1], and a percentile interval.

    Pairs are drawn with replacement; a sample in which one side is constant is left out. None for fewer than three
    pairs, or where one side is constant.
    """
    pairs = np.asarray([x, y], dtype=float)
    if pairs.shape[1] < 3:
        return None
    value = _rank_correlation(pairs)
    if np.isnan(value):
        return None
    generator = np.random.default_rng(seed)
    drawn = generator.integers(pairs.shape[1], size=(resamples, pairs.shape[1]))
    values = np.array([_rank_correlation(pairs[:, index]) for index in drawn])
    low, high = np.percentile(values[~np.isnan(values)], [2.5, 97.5])
    return Correlation(value, float(low), float(high), pairs.shape[1])


def _rank_correlation(pairs: np.ndarray) -> float:
    """Spearman's rho of two rows; NaN where one is constant."""
    from scipy.stats import rankdata

    ranks = rankdata(pairs, axis=1)
    if np.ptp(ranks, axis=1).min() == 0:
        return float("nan")
    return float(np.corrcoef(ranks)[0, 1])


def rank_correlations(maps: Tensor, others: Tensor) -> Tensor:
    """Spearman's rank correlation of each map (N, H, W) with its other, (N,) float64; NaN where one is constant."""
    a, b = _centred_ranks(maps), _centred_ranks(others)
    lengths = ((a * a).sum(1) * (b * b).sum(1)).sqrt()
    return ((a * b).sum(1) / lengths).where(lengths > 0, torch.nan)


def _centred_ranks(maps: Tensor) -> Tensor:
    """Mean ranks of the pixels (N, P), less the mean of all ranks."""
    flat = maps.flatten(1).contiguous()
    ordered = flat.sort(1).values
    below, not_above = (torch.searchsorted(ordered, flat, right=right) for right in (False, True))
    return (below + not_above).double() / 2 - flat.shape[1] / 2
