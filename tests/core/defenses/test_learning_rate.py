"""A learning rate that fits the network: the knob where it works, a lower one where it does not, and what is said."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses import ANP, FTSAM, IBAU, NAD, RNP, SAU, TSBD, FinePruning, FineTuning, NeuralCleanse
from core.defenses.repairs.neural_cleanse import neural_cleanse
from core.defenses.shared.learning_rate import PATIENCE, between, tuned, unless_failing
from core.defenses.shared.selection import Choice
from core.knobs import Method
from core.optim.train import Diverged
from core.runs import Progress, Run, finish


class Answer(nn.Module):
    """A stand-in for a repaired model: right on the given share of the images, which are all of class 0."""

    def __init__(self, right: float, lr: float = 0.0):
        super().__init__()
        self.right, self.lr = right, lr

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(x), 4)
        logits[round(self.right * len(x)) :, 1] = 1.0
        return logits


@pytest.fixture
def images() -> ImageSet:
    black = torch.zeros(100, 3, 8, 8, dtype=torch.uint8)
    return ImageSet(black, torch.zeros(100, dtype=torch.int64), ("a", "b", "c", "d"))


def choice(images: ImageSet, accurate: float, finite: float, **knobs: Any) -> tuple[Choice, list[float]]:
    """The choice from (0, 0.1] when the loss is finite up to one rate and the floor of 0.95 kept up to another."""
    started: list[float] = []

    def tune(lr: float) -> Run[nn.Module]:
        started.append(lr)
        if lr > finite:
            raise Diverged("no longer finite")
        yield Progress("tune", 1, 1, {"loss": 0.1}, model=Answer(1.0))
        return Answer(0.97 if lr <= accurate else 0.94, lr)

    method: Any = SimpleNamespace(**dict(selection="clean", lr=0.1, tau=0.05, candidates=4) | knobs)
    return finish(tuned(method, tune, images, 1.0)), started


def test_the_knob_is_kept_where_it_works(images: ImageSet) -> None:
    chosen, started = choice(images, 1.0, 1.0)
    assert (chosen.strength, started) == (0.1, [0.1])


def test_divergence_costs_no_candidate(images: ImageSet) -> None:
    chosen, started = choice(images, 1.0, 0.002, candidates=1)
    assert started == pytest.approx([0.1, 0.025, 0.00625, 0.0015625])
    assert chosen.strength == started[-1]
    assert list(chosen.tried) == [chosen.strength]


def test_the_largest_rate_that_keeps_the_floor(images: ImageSet) -> None:
    chosen, started = choice(images, 0.06, 1.0)
    assert started == pytest.approx([0.1, 0.025, 0.05])  # the two that are left are within a factor of two
    assert chosen.strength == pytest.approx(0.05)
    assert chosen.model.lr == chosen.strength
    assert chosen.accuracy >= chosen.floor == pytest.approx(0.95)


def test_none_keeps_the_floor(images: ImageSet) -> None:
    chosen, started = choice(images, 0.0, 1.0)
    assert len(started) == 4
    assert chosen.accuracy < chosen.floor


def test_fixed_takes_the_knob_and_says_that_it_diverges(images: ImageSet) -> None:
    assert choice(images, 0.0, 1.0, selection="fixed")[1] == [0.1]
    with pytest.raises(Diverged, match="no longer finite"):
        choice(images, 1.0, 0.0, selection="fixed")


def test_divergence_at_every_rate_is_an_error(images: ImageSet) -> None:
    with pytest.raises(ValueError, match="no longer finite"):
        choice(images, 1.0, 0.0)


def test_between_is_the_geometric_mean() -> None:
    assert between(0.0, 0.1) == 0.025
    assert between(0.01, 0.04) == pytest.approx(0.02)
    assert between(0.02, 0.04) is None


class TestFailing:
    def steps(self, losses: list[float], model: nn.Module, share: float, images: ImageSet) -> int:
        """How many of the steps of a run with these losses are taken."""

        def run() -> Run[nn.Module]:
            for step, loss in enumerate(losses, start=1):
                yield Progress("tune", step, len(losses), {"loss": loss}, model=model)
            return model

        return len(list(unless_failing(run(), share, images, 0.9)))

    def test_a_loss_at_chance_level(self, images: ImageSet) -> None:
        assert self.steps([0.3] + [math.log(4)] * 99, Answer(1.0), 1.0, images) == 1 + PATIENCE

    def test_a_start_above_chance_is_no_failure(self, images: ImageSet) -> None:
        assert self.steps([5.0] * 10 + [2.0] * 90, Answer(1.0), 1.0, images) == 100

    def test_hopeless_half_way(self, images: ImageSet) -> None:
        assert self.steps([0.3] * 100, Answer(0.7), 1.0, images) == 50
        assert self.steps([0.3] * 100, Answer(0.8), 1.0, images) == 100
        assert self.steps([0.3] * 100, Answer(0.7), 1 / 16, images) == 100

    def test_the_run_is_closed(self, images: ImageSet) -> None:
        closed = []

        def run() -> Run[nn.Module]:
            try:
                while True:
                    yield Progress("tune", 1, 1, {"loss": 9.0}, model=nn.Identity())
            finally:
                closed.append(True)

        assert finish(unless_failing(run(), 1.0, images, 0.0)) is None
        assert closed


TUNING = [
    FineTuning(steps=8, batch_size=16),
    FTSAM(steps=8, batch_size=16, rho=0.001),
    NAD(steps=8, teacher_steps=8, batch_size=16),
    FinePruning(steps=8, batch_size=16),
    SAU(steps=8, batch_size=16, attack_steps=1),
    IBAU(rounds=1, steps=4, batch_size=16),
    NeuralCleanse(steps=8, batch_size=16, epochs=1, epoch_steps=1, success=0.0, limit=0.0, patience=1),
    TSBD(steps=8, batch_size=16, unlearn_steps=2, r=0.001),
]


@pytest.mark.parametrize("method", TUNING, ids=lambda method: type(method).__name__)
class TestMethods:
    @pytest.fixture(autouse=True)
    def four_classes_are_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(neural_cleanse, "FEWEST", 4)

    def test_a_rate_that_diverges_is_lowered(self, method: Any, trained_net: nn.Module, colours: ImageSet) -> None:
        brittle = nn.Sequential(trained_net, Brittle())
        high = dataclasses.replace(method, lr=1.0)
        repaired = finish(high.run(brittle, colours))
        assert repaired.report["lr"] < 1.0
        assert all(torch.isfinite(weight).all() for weight in repaired.parameters())
        with pytest.raises(Diverged):
            finish(dataclasses.replace(high, selection="fixed").run(brittle, colours))

    def test_the_floor_is_reported(self, method: Any, trained_net: nn.Module, colours: ImageSet) -> None:
        report = finish(method.run(trained_net, colours)).report
        assert report["validation/floor"] == pytest.approx((1 - method.tau) * report["validation/before"])
        assert {"lr", "validation/after"} <= report.keys()


class Brittle(nn.Module):
    """Passes logits on as long as its weight has hardly moved, and is not finite afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits * self.scale / ((self.scale.detach() - 1).abs() < 0.05)


@pytest.mark.parametrize("method", [ANP(steps=2, batch_size=16), RNP(steps=2, unlearn_steps=2, batch_size=16)])
def test_thresholds_report_their_floor(method: Method, trained_net: nn.Module, colours: ImageSet) -> None:
    report = finish(method.run(trained_net, colours)).report  # type: ignore[attr-defined]
    assert report["validation/floor"] == pytest.approx(0.95 * report["validation/before"])
