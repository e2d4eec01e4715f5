"""Robust accuracy against the budget: it begins at the clean accuracy, never rises, and is exact on a linear model."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from core.attacks import PGD, RobustCurve
from core.attacks.shared.budget import radius
from core.data import ImageSet
from core.metrics import evaluate
from core.runs import finish
from tests.core.attacks.helpers import linear_case
from tests.core.defenses.test_contract import assert_same, snapshot


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_begins_at_the_clean_accuracy_and_never_rises(trained_net: nn.Module, colours, norm: str) -> None:
    before, data = snapshot(trained_net), colours[:40]
    found = finish(RobustCurve(norm=norm, eps=64 / 255, levels=4, steps=5).run(trained_net, data, seed=2))
    assert_same(before, snapshot(trained_net))
    assert found.right.shape == found.noise.shape == (5, 40) and found.budgets[0] == 0
    assert found.robust[0].item() == pytest.approx(evaluate(trained_net, data).acc)
    assert not bool((found.right[1:] & ~found.right[:-1]).any()) and found.robust[-1] < found.robust[0]
    assert torch.equal(found.right[0], found.noise[0])
    again = finish(RobustCurve(norm=norm, eps=64 / 255, levels=4, steps=5).run(trained_net, data, seed=2))
    assert torch.equal(found.right, again.right)


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
def test_on_a_linear_model_it_is_what_the_margins_say(norm: str, dual: int) -> None:
    model, images, _ = linear_case()
    data = ImageSet((images * 255).round().to(torch.uint8), torch.zeros(len(images), dtype=torch.int64), ("a", "b"))
    slope = model.slope.detach()
    distance = model(data.pixels)[:, 0].detach() / slope.flatten().norm(dual)
    method = RobustCurve(norm=norm, eps=0.05, levels=6, steps=40)
    found = finish(method.run(model, data))
    for budget, right in zip(found.budgets, found.right, strict=True):
        clear = (distance - budget).abs() > 0.02 * budget
        assert torch.equal(right[clear], (distance > budget)[clear])


def test_the_first_budget_is_plain_pgd(trained_net: nn.Module, colours) -> None:
    data = colours[:40]
    found = finish(RobustCurve(eps=0.1, levels=1, steps=5).run(trained_net, data))
    right = found.right[0]
    attack = PGD(eps=0.1, alpha=0.05, steps=5)
    plain = finish(attack.run(trained_net, data.pixels[right], data.labels[right], seed=0))
    assert torch.equal(found.right[1][right], ~plain.success)


def test_no_budget_loses_nothing_and_no_picture_is_one_sentence(trained_net: nn.Module, colours) -> None:
    found = finish(RobustCurve(eps=0.0, levels=2).run(trained_net, colours[:20]))
    assert torch.equal(found.right[0], found.right[2])
    with pytest.raises(ValueError, match="at least one"):
        finish(RobustCurve().run(trained_net, colours[:0]))


def test_radii_that_stand_beside_each_other() -> None:
    assert radius(8 / 255, "linf", (32, 32)) == 8 / 255
    assert math.isclose(radius(8 / 255, "l2", (32, 32)), 0.502, abs_tol=1e-3)
    assert math.isclose(radius(8 / 255, "l1", (32, 32)), 12.05, abs_tol=1e-2)
