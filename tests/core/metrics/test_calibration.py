"""Reliability diagrams and ECE in closed form."""

from __future__ import annotations

import pytest
import torch

from core.metrics import calibration


def logits_of(confidence: list[float]) -> torch.Tensor:
    """Two classes, the first of them answered with each confidence."""
    p = torch.tensor(confidence, dtype=torch.float64)
    return torch.stack([p, 1 - p], 1).log()


def test_one_bin_of_a_confidence() -> None:
    found = calibration(logits_of([0.8] * 10), torch.tensor([0] * 6 + [1] * 4), bins=10)
    assert found.counts.tolist() == [0] * 7 + [10] + [0] * 2
    assert found.confidence[7] == pytest.approx(0.8) and found.accuracy[7] == pytest.approx(0.6)
    assert found.ece == pytest.approx(0.2) == found.overconfidence
    assert found.n == 10


def test_errors_of_bins_do_not_cancel_but_their_signs_do() -> None:
    labels = torch.tensor([0, 1] + [0] * 10)  # 0.9 and right half of the time; 0.6 and always right
    found = calibration(logits_of([0.9] * 2 + [0.6] * 10), labels, bins=15)
    assert found.ece == pytest.approx((2 * 0.4 + 10 * 0.4) / 12)
    assert found.overconfidence == pytest.approx((2 * 0.4 - 10 * 0.4) / 12)


def test_perfect_and_certain() -> None:
    certain = torch.tensor([[100.0, 0], [0, 100.0]])
    assert calibration(certain, torch.tensor([0, 1])).ece == pytest.approx(0)
    assert calibration(certain, torch.tensor([1, 0])).ece == pytest.approx(1)


def test_a_bin_holds_its_upper_edge_and_order_changes_nothing() -> None:
    logits, labels = logits_of([0.5, 0.75, 1.0 - 1e-9]), torch.tensor([0, 1, 0])
    assert calibration(logits, labels, bins=4).counts.tolist() == [0, 1, 1, 1]
    flipped = calibration(logits.flip(0), labels.flip(0), bins=4)
    assert flipped.ece == pytest.approx(calibration(logits, labels, bins=4).ece)


def test_bins_are_counted() -> None:
    with pytest.raises(ValueError, match="bins = 0 must be 1 or more"):
        calibration(torch.zeros(2, 2), torch.zeros(2), bins=0)
