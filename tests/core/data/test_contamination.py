"""Contaminated training pictures, the digits, and bad input."""

from __future__ import annotations

import pytest
import torch

from core.data import load_data
from core.data.contamination import channels, contaminated, joined, judged
from core.data.hub import cached
from tests.conftest import colour_set
from tests.core.anomaly.pictures import pictures


def test_the_share_is_that_of_the_whole_and_truth_says_which() -> None:
    normal, strange = pictures(95, 0), pictures(0, 20)
    data, truth = contaminated(normal, strange, 0.05, seed=1)
    assert len(data) == 100 and int(truth.sum()) == 5 and not data.labels.any()
    stripes = data.images[:, 0, :, 1].float().mean(1) > 200
    assert torch.equal(stripes, truth), "the truth follows the order"
    assert 0 < truth.nonzero().float().mean() < 94, "outliers do not lie at the end"
    assert len(contaminated(normal, strange, 0.0)[0]) == 95
    again, _ = contaminated(normal, strange, 0.05, seed=1)
    assert torch.equal(again.images, data.images)


def test_bad_shares_and_sizes_are_one_sentence() -> None:
    normal, strange = pictures(95, 0), pictures(0, 4)
    for share in (-0.1, 0.5, 0.9):
        with pytest.raises(ValueError, match=r"not in \[0, 0.5\)"):
            contaminated(normal, strange, share)
    with pytest.raises(ValueError, match="are to be outliers, 11 beside 95"):
        contaminated(normal, strange, 0.1)
    with pytest.raises(ValueError, match="one size"):
        joined([normal, colour_set(4)])


def test_kinds_and_grey_pictures() -> None:
    data, kinds = judged(pictures(3, 0), pictures(0, 2), pictures(0, 1))
    assert len(data) == 6 and kinds.tolist() == [0, 0, 0, 1, 1, 2]
    (digits,) = channels(load_data("digits", "test", limit=5))
    assert digits.images.shape == (5, 1, 8, 8)
    assert channels(colour_set(4))[0].images.shape[1] == 3


def test_the_digits_need_no_network() -> None:
    assert cached("digits")
    splits = {split: load_data("digits", split) for split in ("train", "heldout", "test", "defender")}
    assert {split: len(data) for split, data in splits.items()} == {
        "train": 1080, "heldout": 120, "test": 597, "defender": 54
    }  # fmt: skip
    assert splits["train"].class_names == tuple("0123456789")
    assert load_data("digits", "test", limit=3, size=16).images.shape == (3, 3, 16, 16)
