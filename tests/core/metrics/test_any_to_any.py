"""Tables of an any-to-any backdoor against counting by hand, and against `evaluate`."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.metrics import confusion, evaluate
from core.metrics.any_to_any import answered_under, answers_to, cross_talk, scores, sent

# Three classes of two pictures. T_0 works on class 1 and half of class 2; T_1 never; T_2 sends class 1 to class 0.
ANSWERS = torch.tensor([
    [[2, 0, 0], [2, 0, 0], [1, 0, 1]],
    [[2, 0, 0], [0, 2, 0], [0, 0, 2]],
    [[0, 0, 2], [2, 0, 0], [0, 0, 2]],
])  # fmt: skip
CLEAN = torch.tensor([[2, 0, 0], [0, 1, 1], [0, 0, 2]])


def test_the_share_that_is_sent_leaves_out_the_own_class() -> None:
    found = sent(ANSWERS)
    assert all(math.isnan(found[c, c]) for c in range(3))
    assert found[1, 0] == 1 and found[2, 0] == 0.5 and found[0, 1] == 0 and found[0, 2] == 1 and found[1, 2] == 0


def test_answers_under_each_trigger_add_up_to_one_and_hold_the_asr() -> None:
    found = answered_under(ANSWERS)
    assert torch.allclose(found.sum(1), torch.ones(3))
    assert found.diagonal().tolist() == [0.75, 0.0, 0.5]


def test_cross_talk_counts_third_classes_only() -> None:
    assert cross_talk(ANSWERS) == pytest.approx((0 + 0 + 0.5) / 3)


def test_scores_by_hand() -> None:
    found = scores(ANSWERS, CLEAN)
    assert found.acc == pytest.approx(5 / 6) and found.n == 6 and found.n_asr == 12
    assert found.asr == pytest.approx((0.75 + 0 + 0.5) / 3)
    assert found.ra == pytest.approx((0.25 + 1 + 0) / 3)


def push(images: Tensor, targets: Tensor) -> Tensor:
    """A trigger that darkens a picture the more, the higher the target."""
    return images * (1 - 0.2 * targets.view(-1, 1, 1, 1))


def test_tables_agree_with_evaluate(trained_net: nn.Module, colours: ImageSet) -> None:
    answers = torch.stack([answers_to(trained_net, colours, push, target) for target in range(4)])
    ours = scores(answers, confusion(trained_net, colours))
    theirs = evaluate(trained_net, colours, trigger=push, mode="any-to-any")
    assert ours.acc == pytest.approx(theirs.acc) and ours.asr == pytest.approx(theirs.asr)
    assert ours.ra == pytest.approx(theirs.ra) and ours.n_asr == theirs.n_asr
    assert ours.by_target == pytest.approx(theirs.by_target)


def test_evaluate_asks_once_for_each_picture_and_target_that_count(colours: ImageSet) -> None:
    class Counting(nn.Module):
        asked = 0

        def forward(self, x: Tensor) -> Tensor:
            Counting.asked += len(x)
            return x.mean((2, 3)) @ torch.eye(3, 4)

    found = evaluate(Counting(), colours, trigger=push, mode="any-to-any")
    assert Counting.asked == len(colours) + found.n_asr == 64 + 4 * 48
