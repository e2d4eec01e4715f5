"""Intervals of what was counted, and of means."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a share seen in n trials (95 % by default)."""
    if n == 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def student(values: list[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's t interval of the mean of `values`; None for fewer than two."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean - half, mean + half


def bootstrap(
    values: Sequence[float], *, of: Literal["mean", "median"] = "mean", resamples: int = 2000, seed: int = 0
) -> tuple[float, float] | None:
    """95 % percentile interval of the mean or median of `values`, drawn again with replacement; None below two."""
    if len(values) < 2:
        return None
    import numpy as np

    drawn = np.random.default_rng(seed).choice(np.asarray(values, dtype=float), (resamples, len(values)))
    low, high = np.percentile(getattr(np, of)(drawn, axis=1), [2.5, 97.5])
    return float(low), float(high)
