"""What holds of every detector of outliers: scores, thresholds, seeds, bad input, stopping."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from core.anomaly import ITSR, OUTLIERS, Autoencoder, DeepSVDD, PaDiM, PatchCore, VariationalAutoencoder
from core.metrics import roc
from core.runs import finish
from tests.conftest import TinyNet
from tests.core.anomaly.pictures import pictures

SHORT: dict[type, dict[str, Any]] = {
    ITSR: dict(pretrain=2, rounds=2, refine=1, retrain=2, width=16, batch_size=16),
    Autoencoder: dict(epochs=3, width=16, latent=4, batch_size=16),
    VariationalAutoencoder: dict(epochs=1, width=4, latent=4, draws=2, batch_size=16),
    DeepSVDD: dict(epochs=3, pretrain=1, width=16, latent=4, batch_size=16),
    PaDiM: dict(channels=6),
    PatchCore: dict(patches=20, pool=200),
}
TRAIN = pictures()


def run_of(cls: type, seed: int = 0, data: Any = TRAIN) -> Any:
    """A short run of a method."""
    method: Any = cls(**SHORT.get(cls, dict(epochs=3, width=16, batch_size=16) if hasattr(cls, "epochs") else {}))
    given = {"backbone": backbone()} if cls in (PaDiM, PatchCore) else {}
    return method.run(data, seed=seed, **given)


def backbone() -> TinyNet:
    torch.manual_seed(0)
    return TinyNet().eval()


@pytest.fixture(scope="module")
def models() -> dict[type, Any]:
    return {cls: finish(run_of(cls)) for cls in OUTLIERS}


@pytest.mark.parametrize("cls", OUTLIERS)
def test_scores_are_one_per_picture_and_a_tenth_or_two_of_the_training_pictures_are_rejected(
    cls: type, models: dict[type, Any]
) -> None:
    scores = models[cls].score(TRAIN.images)
    assert scores.shape == (len(TRAIN),) and bool(scores.isfinite().all()) and not scores.requires_grad
    assert 0.09 <= (scores > 1).float().mean() <= 0.21


@pytest.mark.parametrize("cls", OUTLIERS)
def test_batching_floats_and_order_change_nothing(cls: type, models: dict[type, Any]) -> None:
    model = models[cls]
    whole = model.score(TRAIN.images)
    torch.testing.assert_close(model.score(TRAIN.images[5:12]), whole[5:12], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.score(TRAIN.pixels), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cls", OUTLIERS)
def test_the_same_seed_gives_the_same_scores_and_the_random_numbers_outside_stay(
    cls: type, models: dict[type, Any]
) -> None:
    state = torch.get_rng_state()
    again = finish(run_of(cls))
    assert torch.equal(again.score(TRAIN.images), models[cls].score(TRAIN.images))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("cls", OUTLIERS)
def test_bad_input_is_one_sentence(cls: type, models: dict[type, Any]) -> None:
    for data, said in (
        (TRAIN[:3], "3 training pictures; give it at least 10"),
        (dataclasses.replace(TRAIN, images=TRAIN.images[:1].repeat(len(TRAIN), 1, 1, 1)), "are alike"),
    ):
        with pytest.raises(ValueError, match=said):
            next(run_of(cls, data=data))
    with pytest.raises(ValueError, match="trained on pictures of 6 x 6 pixels"):
        models[cls].score(torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize("cls", [cls for cls in OUTLIERS if hasattr(cls, "batch_size")])
@pytest.mark.parametrize("moments", [1, 6, 9])
def test_a_run_that_is_stopped_in_any_phase_leaves_a_model_that_scores(cls: type, moments: int) -> None:
    run = run_of(cls)
    model = None
    for _ in range(moments):
        progress = next(run, None)
        model = model if progress is None else progress.model
    run.close()
    assert model is not None and not model.training
    scores = model.score(TRAIN.images)
    assert bool(scores.isfinite().all()) and bool((scores > 1).any())


def test_the_backbone_is_not_changed() -> None:
    net = backbone()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for cls in (PaDiM, PatchCore):
        finish(cls(**SHORT[cls]).run(TRAIN, backbone=net))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    with pytest.raises(ValueError, match="give it one as backbone"):
        next(PaDiM().run(TRAIN))


@pytest.mark.parametrize("cls", [Autoencoder, PaDiM])
def test_what_was_never_seen_ranks_above_what_was(cls: type) -> None:
    method: Any = Autoencoder(epochs=40, width=32, latent=4, batch_size=16) if cls is Autoencoder else PaDiM(channels=6)
    given = {} if cls is Autoencoder else {"backbone": backbone()}
    model = finish(method.run(TRAIN[:40], **given))
    other = pictures(20, 20, seed=1)
    assert roc(model.score(other.images), torch.arange(40) >= 20).auroc > 0.9
