"""Training by explanation consistency: weights by sample, schedule, controls, and plain training as the limit."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from core.attacks import PGD
from core.data.imageset import ImageSet
from core.explain import Consistencies, Consistency
from core.optim.batches import batches
from core.runs import finish
from core.training import SAM, ExplanationConsistency, Standard
from core.training.explanation_consistency import explanation_consistency as module
from core.training.explanation_consistency.explanation_consistency import weighted
from core.training.explanation_consistency.sample_weights import RULES, Measured, mean_one, measured
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import assert_same, snapshot

SETTINGS = {"epochs": 4, "batch_size": 16, "lr": 0.05}
SHORT = ExplanationConsistency(
    consistency=Consistency(attack=PGD(steps=1, stop_early=False)), warmup=0.25, refresh=1, floor=0.05,
    **SETTINGS,
)
PLAIN = Standard(**SETTINGS)


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return TinyNet()


def state_of(method: Standard | ExplanationConsistency, seed: int = 1) -> list[Tensor]:
    return list(finish(method.run(fresh(), colour_set(64), seed=seed)).state_dict().values())


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


class TestMeanOne:
    @pytest.mark.parametrize("floor", [0.0, 0.05, 0.5])
    def test_mean_and_order(self, floor: float) -> None:
        v = torch.rand(4001, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        weights = mean_one(v, floor)
        assert weights.mean().item() == pytest.approx(1, abs=1e-6)
        assert (weights.min() / weights.max()).item() == pytest.approx(
            max(floor, v.min().item()) / v.max().item(), rel=1e-5
        )
        assert torch.equal(weights.argsort()[-100:], v.argsort()[-100:])

    @pytest.mark.parametrize("value", [0.0, 0.013, 1.0])
    def test_equal_weights_are_exactly_1(self, value: float) -> None:
        for floor in (0.0, 0.05, 1.0):
            assert torch.equal(mean_one(torch.full((4001,), value), floor), torch.ones(4001))


class TestPlainTraining:
    """What changes nothing gives plain training, bit for bit."""

    @pytest.mark.parametrize(
        "change",
        [
            {"weights": "1"},
            {"floor": 1.0},
            {"warmup": 1.0},
            {"consistency": Consistency(attack=PGD(eps=0.0, steps=1))},
        ],
        ids=str,
    )
    def test_as_standard(self, change: dict) -> None:
        assert same(state_of(dataclasses.replace(SHORT, **change)), state_of(PLAIN))

    def test_with_a_weight_perturbation_and_another_schedule(self) -> None:
        both = {"weight_perturbation": SAM(), "schedule": "cosine", "momentum": 0.5, "pictures": 40}
        ours, theirs = dataclasses.replace(SHORT, weights="1", **both), dataclasses.replace(PLAIN, **both)
        assert same(state_of(ours), state_of(theirs))

    @pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "1"])
    def test_every_other_rule_is_not(self, rule: str) -> None:
        assert not same(state_of(dataclasses.replace(SHORT, weights=rule, floor=0.0)), state_of(PLAIN))


class TestWeights:
    def test_they_follow_the_sample_through_shuffling(self) -> None:
        """Each picture's one grey value is its place in the set; so is what the objective weighs it by."""
        n = 50
        images = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 3, 8, 8).contiguous()
        data = ImageSet(images, torch.arange(n), ("a", "b"))
        labels, weights = torch.arange(n) % 2, torch.rand(n)
        for x, places in (batch for _, batch in zip(range(9), batches(
            data, 16, torch.Generator().manual_seed(0), flip=True, pad=2
        ), strict=False)):  # fmt: skip
            seen = (x[:, 0, 0, 0] * 255).round().long()
            assert torch.equal(seen, places)
            logits = torch.randn(16, 2)
            loss = weighted(labels, weights)(Fixed(logits), x, places)()["loss"]
            each = nn.functional.cross_entropy(logits, labels[seen], reduction="none")
            torch.testing.assert_close(loss, (weights[seen] * each).mean(), rtol=1e-2, atol=1e-2)

    def test_no_gradient_goes_through_them(self, colours: ImageSet) -> None:
        """The gradient of v CE with v held fixed, and none of v, which depends on the weights as well."""
        model = fresh()
        weights = torch.rand(64)
        weighted(colours.labels, weights)(model, colours.pixels, torch.arange(64))()
        assert not weights.requires_grad
        found = finish(measured("1 - E", model, colours, SHORT.consistency, seed=0))
        assert not found.v.requires_grad and found.v.grad_fn is None
        assert all(parameter.grad is not None for parameter in model.parameters())

    def test_only_pictures_that_count_move_the_weights(self, colours: ImageSet) -> None:
        models = [fresh().eval() for _ in range(2)]
        only = (torch.arange(64) < 8).float()
        weighted(colours.labels, 8 * only)(models[0], colours.pixels, torch.arange(64))()
        nn.functional.cross_entropy(models[1](colours.pixels[:8]), colours.labels[:8]).backward()
        torch.testing.assert_close(models[0].linear.weight.grad, models[1].linear.weight.grad, rtol=0.05, atol=5e-3)


class Fixed(nn.Module):
    """A network that answers with given logits."""

    def __init__(self, logits: Tensor):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits


class TestRules:
    E = Consistencies(torch.linspace(0, 1, 64, dtype=torch.float64), *(torch.zeros(64) for _ in range(3)))

    def v_of(self, rule: str, model: nn.Module, data: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Tensor:
        def known(self, model, data, *, seed=0):
            yield from ()
            return TestRules.E

        monkeypatch.setattr(Consistency, "run", known)
        return finish(measured(rule, model, data, Consistency(), seed=5)).v

    def test_in_closed_form(self, trained_net: nn.Module, colours: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
        e = self.E.consistency
        v = {rule: self.v_of(rule, trained_net, colours, monkeypatch) for rule in RULES}
        assert torch.equal(v["1 - E"], 1 - e) and torch.equal(v["E"], e) and torch.equal(v["1"], torch.ones_like(e))
        assert torch.equal(v["permuted"].sort().values, (1 - e).sort().values)
        assert not torch.equal(v["permuted"], 1 - e)
        logits = trained_net(colours.pixels).double()
        losses = nn.functional.cross_entropy(logits, colours.labels, reduction="none")
        torch.testing.assert_close(v["loss"], losses / losses.max(), rtol=1e-3, atol=1e-4)
        own = logits.softmax(1).gather(1, colours.labels[:, None])[:, 0]
        torch.testing.assert_close(v["confidence"], 1 - own, rtol=1e-3, atol=1e-4)

    def test_noise_takes_the_place_of_the_attack(self, trained_net: nn.Module, colours: ImageSet) -> None:
        """Random changes of the background of full size, uniform in the ball, that no gradient has moved."""
        strong = Consistency(attack=PGD(eps=0.3, alpha=0.1, steps=3, stop_early=False), share=0.0)
        attacked, noisy = (finish(measured(rule, trained_net, colours, strong, seed=0)) for rule in ("1 - E", "noise"))
        assert noisy.v.mean() < attacked.v.mean()
        expected = dataclasses.replace(strong, attack=PGD(eps=0.3, alpha=0.0, steps=1, stop_early=False))
        again = finish(expected.run(trained_net, colours, seed=0))
        assert torch.equal(noisy.v, 1 - again.consistency)


class TestSchedule:
    @pytest.mark.parametrize(
        ("epochs", "warmup", "refresh", "due"),
        [(10, 0.2, 5, [2, 7]), (10, 0.0, 3, [0, 3, 6, 9]), (4, 1.0, 1, []), (5, 0.5, 1, [2, 3, 4])],
    )
    def test_when_e_is_measured(self, epochs: int, warmup: float, refresh: int, due: list[int]) -> None:
        method = ExplanationConsistency(epochs=epochs, warmup=warmup, refresh=refresh)
        assert [epoch for epoch in range(epochs) if method.due(epoch)] == due

    def test_what_it_yields_and_reports(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[int] = []

        def known(rule, model, data, consistency, seed):
            assert model.training and all(parameter.requires_grad for parameter in model.parameters())
            seen.append(seed)
            yield from ()
            return Measured(torch.arange(64.0) + len(seen), TestRules.E)

        monkeypatch.setattr(module, "measured", known)
        moments, result = [], None
        run = SHORT.run(fresh(), colour_set(64), seed=7)
        try:
            while True:
                moments.append(next(run))
        except StopIteration as end:
            result = end.value
        assert seen == [8, 9, 10]  # before epochs 1, 2 and 3 of 0 to 3
        assert [moment.step for moment in moments] == list(range(1, 17))
        assert "consistency" not in moments[3].metrics and moments[4].metrics["consistency"] == pytest.approx(0.5)
        report = result.report
        assert report["record/epoch"].tolist() == [1, 2, 3] and len(report["record/consistency"]) == 3
        torch.testing.assert_close(report["weights"], mean_one(torch.arange(64.0) + 3, 0.05))
        assert not result.training and not any(parameter.requires_grad for parameter in result.parameters())

    def test_a_training_in_full(self) -> None:
        model, data = fresh(), colour_set(64)
        before, state = snapshot(model), torch.get_rng_state()
        first, again = (finish(SHORT.run(model, data, seed=3)) for _ in range(2))
        assert_same(before, snapshot(model))
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.equal(first.linear.weight, again.linear.weight)
        e, weights = first.report["consistency"], first.report["weights"]
        assert e.shape == weights.shape == (64,) and ((e >= 0) & (e <= 1)).all()
        torch.testing.assert_close(weights, mean_one(1 - e, 0.05))
        assert 0 <= first.report["empty"] <= 1

    def test_stopping_leaves_eval_mode_and_no_gradient(self) -> None:
        run = SHORT.run(fresh(), colour_set(64))
        student = next(run).model
        run.close()
        assert not student.training and all(parameter.grad is None for parameter in student.parameters())


class TestBadInput:
    def test_knobs(self) -> None:
        with pytest.raises(ValueError, match=r"ExplanationConsistency.consistency = PGD\(.* measures no E"):
            ExplanationConsistency(consistency=PGD())
        with pytest.raises(ValueError, match=r"ExplanationConsistency.weights = 'both' is not one of"):
            ExplanationConsistency(weights="both")
        with pytest.raises(ValueError, match=r"ExplanationConsistency.momentum = 0.5 has no effect"):
            ExplanationConsistency(momentum=0.5)

    def test_a_network_without_a_map(self) -> None:
        flat = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
        with pytest.raises(ValueError, match=r"^The model has no layer with a map of more than one position"):
            finish(SHORT.run(flat, colour_set(64)))
