"""Which of a few numbers is abnormally small: the anomaly index of Neural Cleanse."""

from __future__ import annotations

from torch import Tensor

FEWEST = 5
"""Fewer numbers than this have no outliers: of two or three, each is far from the others."""


def anomaly_index(values: Tensor) -> Tensor:
    """abs(value - M) / max(1.4826 MAD, 1e-6) of values (K,): M is their median, MAD the median of abs(value - M).

    1.4826 MAD estimates the standard deviation of a normal distribution, and one outlier does not
    move it. Equal values have index 0; where all but one are equal, that one's index is huge.
    """
    median = values.quantile(0.5)
    distance = (values - median).abs()
    return distance / (1.4826 * distance.quantile(0.5)).clamp_min(1e-6)


def abnormally_small(values: Tensor, limit: float) -> Tensor:
    """Bool (K,): below the median, with an index above `limit`."""
    return (values < values.quantile(0.5)) & (anomaly_index(values) > limit)
