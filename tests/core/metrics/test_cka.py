"""Linear CKA: closed forms, invariances, and what the bias is."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from core.metrics.cka import cka_of_grams, gram, linear_cka


def gaussian(n: int, p: int, seed: int) -> Tensor:
    return torch.randn(n, p, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("debiased", [False, True])
def test_a_representation_is_like_itself_turned_scaled_and_moved(debiased: bool) -> None:
    x = gaussian(40, 12, 0)
    turn = torch.linalg.qr(gaussian(12, 12, 1)).Q
    assert linear_cka(x, x, debiased=debiased) == pytest.approx(1)
    assert linear_cka(x, -3 * x @ turn + 5, debiased=debiased) == pytest.approx(1)
    y = gaussian(40, 7, 2)
    plain = linear_cka(x, y, debiased=debiased)
    assert plain == pytest.approx(linear_cka(y, x, debiased=debiased))
    assert plain == pytest.approx(linear_cka(x @ turn + 1, 0.1 * y, debiased=debiased))


def test_closed_forms() -> None:
    x = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    y = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    assert linear_cka(x, y) == pytest.approx(0)
    assert linear_cka(x, torch.cat([x, y], 1)) == pytest.approx(1 / math.sqrt(2))
    # one feature each: CKA is the squared correlation
    z = torch.tensor([[1.0], [2.0], [4.0], [3.0]])
    correlation = torch.corrcoef(torch.cat([x, z], 1).T)[0, 1].item()
    assert linear_cka(x, z) == pytest.approx(correlation**2)


def test_the_plain_estimator_is_biased_and_the_other_is_not() -> None:
    n, p = 60, 600
    pairs = [(gaussian(n, p, 2 * seed), gaussian(n, p, 2 * seed + 1)) for seed in range(8)]
    plain = [linear_cka(x, y) for x, y in pairs]
    fair = [linear_cka(x, y, debiased=True) for x, y in pairs]
    assert sum(plain) / 8 == pytest.approx(1 / (1 + n / p), abs=0.02)
    assert abs(sum(fair) / 8) < 0.01


def test_the_debiased_hsic_is_the_mean_over_four_different_images() -> None:
    """Song et al.'s estimator is a U-statistic: here summed over all quadruples of six images."""
    x, y, n = gaussian(6, 3, 0), gaussian(6, 2, 1), 6

    def by_hand(k: Tensor, l: Tensor) -> float:  # noqa: E741
        total, count = 0.0, 0
        for i in range(n):
            for j in range(n):
                for q in range(n):
                    for r in range(n):
                        if len({i, j, q, r}) == 4:
                            total += (k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q])).item()
                            count += 1
        return total / count

    k, l = gram(x), gram(y)  # noqa: E741
    expected = by_hand(k, l) / math.sqrt(by_hand(k, k) * by_hand(l, l))
    assert linear_cka(x, y, debiased=True) == pytest.approx(expected)


def test_the_plain_estimator_lies_between_zero_and_one() -> None:
    for seed in range(20):
        assert 0 <= linear_cka(gaussian(10, 3, seed), gaussian(10, 30, seed + 100)) <= 1


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same images twice, at least 2"):
        linear_cka(gaussian(5, 2, 0), gaussian(6, 2, 0))
    with pytest.raises(ValueError, match="at least 4"):
        cka_of_grams(torch.eye(3), torch.eye(3), debiased=True)
    assert math.isnan(linear_cka(torch.ones(5, 2), gaussian(5, 2, 0)))
