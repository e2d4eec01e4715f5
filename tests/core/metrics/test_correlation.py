"""Rank correlation against SciPy's, and its bootstrap interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.metrics.correlation import spearman


def test_it_is_scipys_and_its_interval_holds_it() -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=16).round(1)  # ties
    y = x + 0.5 * generator.normal(size=16)
    found = spearman(x.tolist(), y.tolist())
    assert found is not None and found.n == 16
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert -1 <= found.low < found.value < found.high <= 1 and found == spearman(x.tolist(), y.tolist())


def test_only_the_order_counts() -> None:
    found = spearman([1, 2, 3, 4], [1, 10, 100, 1000])
    assert found is not None and found.value == pytest.approx(1) and found.low == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]).value == pytest.approx(-1)  # type: ignore[union-attr]


def test_too_few_or_constant_values_have_none() -> None:
    assert spearman([1, 2], [1, 2]) is None and spearman([1, 1, 1], [1, 2, 3]) is None
