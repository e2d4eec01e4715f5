"""ITSR and the adversarial autoencoder in closed form."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
import torch
from sklearn.svm import OneClassSVM
from torch import Tensor

from core.anomaly import ITSR, AdversarialAutoencoder
from core.anomaly.itsr import outside, retrain_weights
from core.anomaly.shared.adversarial import (
    AdversarialModel,
    AdversarialTraining,
    discriminator_loss,
    encoder_loss,
    log_likelihood,
)
from core.metrics import bacc, bacc_ceiling
from core.runs import finish
from tests.core.anomaly.pictures import pictures

TRAIN = pictures()
SHORT: dict[str, Any] = dict(pretrain=2, rounds=2, refine=1, retrain=2, width=16, batch_size=16)


def test_the_likelihood_of_the_prior_and_its_radius() -> None:
    codes = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    normal = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
    torch.testing.assert_close(log_likelihood(codes), normal.log_prob(codes))
    assert codes.norm(dim=1).quantile(0.9).item() == pytest.approx(math.sqrt(-2 * math.log(0.1)), abs=0.02)


def test_the_losses_of_discriminator_and_encoder_on_two_points() -> None:
    real, fake, ones = torch.tensor([0.0, 2.0]), torch.tensor([0.0, -1.0]), torch.ones(2)

    def soft(x: float) -> float:
        return math.log1p(math.exp(x))

    expected = (soft(0) + soft(-2)) / 2 + (soft(0) + soft(-1)) / 2
    assert discriminator_loss(real, fake, ones).item() == pytest.approx(expected, abs=1e-6)
    assert encoder_loss(fake, ones).item() == pytest.approx((soft(0) + soft(1)) / 2, abs=1e-6)
    pushed = torch.tensor([1.0, -0.5])
    assert encoder_loss(torch.tensor([0.0, -50.0]), pushed).item() == pytest.approx((soft(0) - 0.5 * 5) / 2, abs=1e-6)


def test_the_weights_after_each_phase_on_a_made_up_set() -> None:
    codes = torch.cat([0.1 * torch.randn(98, 2, generator=torch.Generator().manual_seed(0)), torch.full((2, 2), 9.0)])
    none = torch.zeros(100, dtype=torch.bool)
    first = ITSR(nu=0.05).candidates(codes, none)
    assert bool(first[98:].all()), "the two far codes lie outside"
    second = ITSR(nu=0.05).candidates(codes, first)
    assert bool((second | ~first).all()) and second.sum() > first.sum(), "candidates stay and are joined by others"
    anew = ITSR(nu=0.05, cumulative=False).candidates(codes, first)
    assert torch.equal(anew, first), "without accumulation every round judges all pictures"
    errors = torch.arange(100.0)
    weights = retrain_weights(errors, torch.arange(100) >= 90, 0.8, -0.1)
    assert weights[:90].eq(1).all() and weights[90:98].eq(0).all() and weights[98:].eq(torch.tensor(-0.1)).all()
    assert retrain_weights(errors, none, 0.8, -0.1).eq(1).all()


def test_at_most_so_many_are_removed_and_never_more_than_half() -> None:
    codes = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    found = torch.zeros(2000, dtype=torch.bool)
    for _ in range(5):
        found = ITSR(nu=0.02).candidates(codes, found)
    assert found.float().mean().item() == pytest.approx(1 - 0.98**5, abs=0.01)
    for _ in range(5):
        found = ITSR(nu=0.4).candidates(codes, found)
    assert found.float().mean() <= 0.5


def test_the_one_class_svm_is_that_of_scikit_learn_and_leaves_about_nu_outside() -> None:
    codes = torch.randn(2000, 2, generator=torch.Generator().manual_seed(1))
    svm = OneClassSVM(nu=0.05, gamma="scale", tol=1e-6).fit(codes.double().numpy())
    found = outside(codes, 0.05)
    assert torch.equal(found, torch.from_numpy(svm.predict(codes.double().numpy()) == -1))
    assert found.float().mean().item() == pytest.approx(0.05, abs=0.01)
    alike = outside(1000 * codes, 0.05) == found
    assert alike.float().mean() > 0.995, "gamma = scale does not mind the unit"


def test_without_candidates_itsr_is_the_adversarial_autoencoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.anomaly.itsr.outside", lambda codes, nu: torch.zeros(len(codes), dtype=torch.bool))
    refined = finish(ITSR(**SHORT).run(TRAIN, seed=3))
    plain = finish(AdversarialAutoencoder(epochs=6, width=16, batch_size=16).run(TRAIN, seed=3))
    assert torch.equal(refined.score(TRAIN.images), plain.score(TRAIN.images))


def test_pictures_without_weight_change_nothing() -> None:
    def trained(images: Tensor) -> AdversarialModel:
        data, weights = dataclasses.replace(TRAIN, images=images), torch.ones(len(TRAIN))
        weights[5:9] = 0
        training = AdversarialTraining(data, 16, 2, "both", 1e-3, 2e-4, 16, 0)
        for _ in training.run(data, weights, 2):
            pass
        return training.model

    noisy = TRAIN.images.clone()
    noisy[5:9] = torch.randint(256, noisy[5:9].shape, dtype=torch.uint8)
    one, other = (trained(images).state_dict() for images in (TRAIN.images, noisy))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_negative_weight_raises_the_error_of_its_pictures() -> None:
    def error_with(weight: float) -> float:
        weights = torch.ones(len(TRAIN))
        weights[40:] = weight
        training = AdversarialTraining(TRAIN, 16, 2, "both", 1e-2, 2e-4, 16, 0)
        for _ in training.run(TRAIN, weights, 15):
            pass
        return training.model.errors(TRAIN.images[40:]).mean().item()

    assert error_with(-0.5) > error_with(0.0)


def test_the_history_has_the_weights_of_every_round_and_the_last_phase() -> None:
    model = finish(ITSR(**SHORT, nu=0.1).run(TRAIN))
    assert len(model.history) == 3
    assert all(set(weights.tolist()) <= {0.0, 1.0} for weights in model.history[:2])
    candidates = model.history[-1] <= 0
    assert torch.equal(candidates, model.history[1] == 0), "the last phase has the candidates of the last round"
    pushed = int((model.history[-1] < 0).sum())
    assert abs(pushed - 0.2 * int(candidates.sum())) <= 1


def test_the_rule_of_both_is_either_and_no_rule_passes_its_ceiling() -> None:
    model = finish(AdversarialAutoencoder(epochs=4, width=16, batch_size=16).run(TRAIN))
    alarms, score = model.alarms(TRAIN.images), model.score(TRAIN.images)
    either = (alarms["reconstruction"] > 1) | (alarms["likelihood"] > 1)
    assert torch.equal(score > 1, either)
    truth = torch.arange(44) >= 40
    for values in (score, *alarms.values()):
        assert bacc(values, truth) <= bacc_ceiling((values > 1).float().mean().item(), 4 / 44) + 1e-6
    assert (model.errors(TRAIN.images) > model.threshold).sum().item() == pytest.approx(4.4, abs=1)


def test_alarms_run_the_encoder_once() -> None:
    model = finish(AdversarialAutoencoder(epochs=1, width=16, batch_size=16).run(TRAIN))
    passes: list[int] = []
    hook = model.encoder.register_forward_hook(lambda *_: passes.append(1))
    alarms = model.alarms(TRAIN.images)
    hook.remove()
    assert len(passes) == 1
    torch.testing.assert_close(alarms["likelihood"], model.codes(TRAIN.images).norm(dim=1) / model.radius)
    torch.testing.assert_close(alarms["reconstruction"], model.errors(TRAIN.images) / model.threshold)
