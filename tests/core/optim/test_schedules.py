"""Schedules by hand, and the cycle against PyTorch's."""

from __future__ import annotations

import math

import pytest
import torch

from core.optim.schedules import constant, cosine, named, one_cycle, stepped, warmed_up


def rates(schedule, steps: int) -> list[float]:
    return [schedule(step)["lr"] for step in range(1, steps + 1)]


def test_constant_and_cosine() -> None:
    assert rates(constant(0.1), 3) == [0.1, 0.1, 0.1]
    expected = [0.1 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)]
    assert rates(cosine(0.1, 4), 4) == pytest.approx(expected)
    assert rates(named("cosine", 0.1, 4), 4) == rates(cosine(0.1, 4), 4)
    assert rates(named("constant", 0.1, 4), 4) == [0.1] * 4


def test_stepped_is_a_tenth_after_each_milestone() -> None:
    assert rates(stepped(1.0, [2, 3]), 5) == pytest.approx([1.0, 1.0, 0.1, 0.01, 0.01])
    assert rates(stepped(0.3, []), 2) == [0.3, 0.3]


def test_warm_up_ends_at_the_rate_and_the_rest_starts_anew() -> None:
    assert rates(warmed_up(2, 0.4, cosine(0.4, 3)), 5) == pytest.approx([0.2, 0.4, *rates(cosine(0.4, 3), 3)])
    assert rates(warmed_up(0, 0.4, constant(0.1)), 2) == [0.1, 0.1]


@pytest.mark.parametrize("steps", [9, 37, 1000])
def test_the_cycle_is_pytorchs_bit_for_bit(steps: int) -> None:
    """The shipped models were trained with that."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1, 0.9)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=steps + 1, pct_start=0.2)
    mine = one_cycle(0.1, steps)
    for step in range(1, steps + 1):
        group = optimiser.param_groups[0]
        assert mine(step) == {"lr": group["lr"], "momentum": group["momentum"]}
        optimiser.step()
        theirs.step()


def test_a_short_cycle_is_cut() -> None:
    assert [one_cycle(0.1, 3)(step) for step in (1, 2, 3)] == [one_cycle(0.1, 9)(step) for step in (1, 2, 3)]
