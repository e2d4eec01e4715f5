"""The ROC curve in closed form."""

import pytest
import torch

from core.metrics.roc import roc


def test_perfect_inverted_and_blind_scores() -> None:
    truth = torch.tensor([False, False, True, True])
    assert roc(torch.tensor([0.0, 1.0, 2.0, 3.0]), truth).auroc == 1.0
    assert roc(torch.tensor([3.0, 2.0, 1.0, 0.0]), truth).auroc == 0.0
    assert roc(torch.ones(4), truth).auroc == 0.5


def test_the_area_counts_ordered_pairs() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, truth = torch.randint(5, (60,), generator=generator).float(), torch.rand(60, generator=generator) < 0.4
    above = (scores[truth][:, None] > scores[~truth]).float() + 0.5 * (scores[truth][:, None] == scores[~truth]).float()
    fpr, tpr, auroc = roc(scores, truth)
    assert auroc == pytest.approx(above.mean().item())
    assert torch.trapezoid(tpr, fpr).item() == pytest.approx(auroc)
    assert fpr[0] == tpr[0] == 0 and fpr[-1] == tpr[-1] == 1


def test_a_point_on_the_curve_keeps_within_its_false_positives() -> None:
    scores = torch.tensor([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0])
    truth = torch.tensor([True, True, False, True, False, False, True, False])
    curve = roc(scores, truth)
    assert [curve.tpr_at(at) for at in (0.0, 0.24, 0.25, 0.75, 1.0)] == [0.5, 0.5, 0.75, 1.0, 1.0]


def test_what_has_no_curve_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="needs both kinds"):
        roc(torch.ones(3), torch.ones(3, dtype=torch.bool))
    with pytest.raises(ValueError, match="finite"):
        roc(torch.tensor([1.0, float("nan")]), torch.tensor([True, False]))
