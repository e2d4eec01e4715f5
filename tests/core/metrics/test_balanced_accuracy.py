"""Balanced accuracy, its ceiling, and the precision-recall curve."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import average_precision_score, balanced_accuracy_score

from core.metrics import bacc, bacc_ceiling, precision_recall


def test_balanced_accuracy_by_hand_and_by_scikit_learn() -> None:
    scores, truth = torch.tensor([2.0, 0.5, 1.0, 3.0, 0.1, 0.2]), torch.tensor([1, 1, 0, 0, 0, 0]).bool()
    assert bacc(scores, truth) == pytest.approx((1 / 2 + 3 / 4) / 2), "what lies at the threshold is kept"
    assert bacc(scores, truth) == balanced_accuracy_score(truth.numpy(), (scores > 1).numpy())
    assert bacc(scores, truth, threshold=0.3) == pytest.approx((1 + 2 / 4) / 2)
    with pytest.raises(ValueError, match="needs both kinds"):
        bacc(scores, torch.zeros(6, dtype=torch.bool))


@pytest.mark.parametrize(
    ("rejected", "share", "ceiling"),
    [
        (0.1, 0, 0.95), (0.19, 0, 0.905), (0.2, 0, 0.9), (0.1, 0.01, 0.9545), (0.1, 0.05, 0.9737),
        (0.1, 0.1, 1.0), (0.1, 0.2, 0.75), (0.0, 0.2, 0.5),
    ],
)  # fmt: skip
def test_the_ceiling_of_a_rule(rejected: float, share: float, ceiling: float) -> None:
    assert bacc_ceiling(rejected, share) == pytest.approx(ceiling, abs=1e-4)


@pytest.mark.parametrize("rejected", range(0, 21, 4))
@pytest.mark.parametrize("outliers", [1, 4, 8, 16])
def test_the_ceiling_is_what_a_perfect_ranking_reaches(rejected: int, outliers: int) -> None:
    truth = torch.arange(20) < outliers
    perfect = torch.arange(20, 0, -1).float()
    reached = bacc(perfect, truth, threshold=20.5 - rejected)
    assert bacc_ceiling(rejected / 20, outliers / 20) == pytest.approx(reached)


def test_precision_and_recall() -> None:
    scores, truth = torch.rand(50, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 3 == 0
    found = precision_recall(scores, truth)
    assert found.ap == average_precision_score(truth.numpy(), scores.numpy())
    assert found.recall[0] == 1 and found.recall[-1] == 0 and found.precision[-1] == 1
