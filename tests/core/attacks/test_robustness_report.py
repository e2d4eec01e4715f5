"""The robustness report: each side is what its own measure gives on the same pictures."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from core.attacks import PGD, AutoAttack, RobustCurve, RobustnessReport
from core.attacks.inputs.regional.masks import square
from core.data.corruptions import CORRUPTIONS, corrupted
from core.metrics import evaluate
from core.runs import finish
from tests.core.defenses.test_contract import assert_same, snapshot

EPS = 32 / 255
METHOD = RobustnessReport(eps=EPS, levels=2, steps=3, attacked=6, version="quick")


def test_each_side_is_its_own_measure(trained_net: nn.Module, colours) -> None:
    before, data = snapshot(trained_net), colours[:24]
    found = finish(METHOD.run(trained_net, data, seed=3))
    assert_same(before, snapshot(trained_net))
    curve = finish(RobustCurve(eps=EPS, levels=2, steps=3).run(trained_net, data, seed=3))
    assert torch.equal(found.curve.right, curve.right)
    attack = AutoAttack(eps=EPS, version="quick")
    cascade = finish(attack.run(trained_net, data.pixels[:6], data.labels[:6], seed=3))
    assert torch.equal(found.cascade.success, cascade.success)
    assert set(found.corrupted) == set(CORRUPTIONS)
    for name, share in found.corrupted.items():
        assert share == pytest.approx(evaluate(trained_net, corrupted(data, name, 3, seed=3)).acc)
    pgd = PGD(eps=EPS, alpha=2.5 * EPS / 3, steps=3)
    part = data[found.right]
    only = finish(pgd.run(trained_net, part.pixels, part.labels, mask=square(0.287, 16, 16), seed=3))
    assert found.regions["square"] == pytest.approx(int((~only.success).sum()) / 24)
    assert found.regions["everywhere"] == pytest.approx(curve.robust[-1].item())
    assert sum(n for *_, n in found.by_class.values()) == 24
    total = sum(robust * n for _, robust, n in found.by_class.values())
    assert total == pytest.approx(int(curve.right[-1].sum()))


def test_a_network_that_is_never_right_and_no_pictures(trained_net: nn.Module, colours) -> None:
    data = colours[:8]
    answers = trained_net(data.pixels).argmax(1)
    wrong = dataclasses.replace(data, labels=(answers + 1) % 4)
    found = finish(METHOD.run(trained_net, wrong))
    assert not found.right.any() and set(found.regions.values()) == {0.0} and found.cascade.report["robust"] == 0
    with pytest.raises(ValueError, match="at least one"):
        finish(METHOD.run(trained_net, data[:0]))
