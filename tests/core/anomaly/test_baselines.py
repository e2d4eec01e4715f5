"""The other detectors against scikit-learn and direct formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import IsolationForest as Forest
from sklearn.svm import OneClassSVM as Svm
from torch import nn

from core.anomaly import DeepSVDD, IsolationForest, OneClassSVM, PaDiM, PatchCore, VariationalAutoencoder
from core.anomaly.baselines.deep_svdd import off_zero
from core.anomaly.baselines.padim import Gaussians
from core.anomaly.baselines.patch_features import blurred
from core.anomaly.baselines.patchcore import coreset, distances, reweighted
from core.anomaly.baselines.variational import resized
from core.runs import finish
from tests.core.anomaly.pictures import pictures
from tests.core.anomaly.test_contract import backbone

TRAIN = pictures()


def test_the_isolation_forest_is_that_of_scikit_learn() -> None:
    model = finish(IsolationForest(trees=20, components=5).run(TRAIN, seed=2))
    features = model.features(TRAIN.pixels)
    forest = Forest(n_estimators=20, max_samples=len(TRAIN), random_state=2).fit(features)
    np.testing.assert_allclose(model.raw(TRAIN.images).numpy(), -forest.score_samples(features), rtol=1e-5)
    assert bool((model.raw(TRAIN.images) > 0).all())


def test_the_one_class_svm_is_that_of_scikit_learn() -> None:
    model = finish(OneClassSVM(nu=0.1, components=5).run(TRAIN))
    features = model.features(TRAIN.pixels)
    svm = Svm(nu=0.1, gamma="scale", tol=1e-6).fit(features)
    np.testing.assert_allclose(model.raw(TRAIN.images).numpy(), -svm.decision_function(features), atol=1e-6)


def test_padim_is_the_mahalanobis_distance() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 2, 3, 4, generator=generator) * torch.tensor([1.0, 2, 0.5, 1])
    model = Gaussians((1, 6, 6), nn.Identity())  # type: ignore[arg-type]
    model.fit(features, 0.01)
    new = torch.randn(7, 2, 3, 4, generator=generator)
    found = model.distances(new)
    flat = features.flatten(1, 2).numpy()
    for place in range(6):
        covariance = np.cov(flat[:, place].T) + 0.01 * np.eye(4)
        off = new.flatten(1, 2).numpy()[:, place] - flat[:, place].mean(0)
        direct = np.sqrt(np.einsum("bq,qr,br->b", off, np.linalg.inv(covariance), off))
        np.testing.assert_allclose(found.flatten(1)[:, place].numpy(), direct, rtol=1e-4)
    assert model.distances(features).square().mean().item() == pytest.approx(4, rel=0.05), "its mean square is q"
    assert model.distances(features.mean(0, keepdim=True)).abs().max() < 1e-3
    few = Gaussians((1, 6, 6), nn.Identity())  # type: ignore[arg-type]
    few.fit(features[:3], 0.01)
    assert bool((torch.linalg.eigvalsh(few.precision) > 0).all()), "fewer pictures than channels"


def test_patchcore_distances_reweighting_and_coreset() -> None:
    generator = torch.Generator().manual_seed(0)
    points, bank = torch.randn(30, 5, generator=generator), torch.randn(12, 5, generator=generator)
    direct = (points[:, None] - bank).norm(dim=2)
    torch.testing.assert_close(distances(points, bank), direct, rtol=1e-4, atol=1e-4)
    around = torch.eye(9)  # all at one distance from 0, and from each other
    torch.testing.assert_close(reweighted(torch.zeros(1, 9), around, 9), torch.tensor([8 / 9]))
    assert reweighted(points, bank, 1).eq(1).all()
    index = finish(coreset(points, 8, torch.Generator().manual_seed(1)))
    assert torch.equal(index, finish(coreset(points, 8, torch.Generator().manual_seed(1))))
    radii = [distances(points, points[index[:m]]).amin(1).max().item() for m in range(1, 9)]
    assert radii == sorted(radii, reverse=True) and len(set(index.tolist())) == 8


def test_maps_have_the_pictures_size_and_a_blur_keeps_what_is_flat() -> None:
    for method in (PaDiM(channels=6), PatchCore(patches=20, pool=200)):
        maps = finish(method.run(TRAIN, backbone=backbone())).maps(TRAIN.images[:3])
        assert maps.shape == (3, 6, 6) and bool(maps.isfinite().all())
    torch.testing.assert_close(blurred(torch.ones(1, 1, 9, 9)), torch.ones(1, 1, 9, 9))


def test_deep_svdd_has_no_bias_and_its_centre_keeps_off_zero() -> None:
    torch.testing.assert_close(off_zero(torch.tensor([0.0, -0.05, 0.5, 0.02])), torch.tensor([0.1, -0.1, 0.5, 0.1]))
    model = finish(DeepSVDD(epochs=5, pretrain=1, width=16, latent=4, batch_size=16).run(TRAIN))
    assert not any("bias" in name for name, _ in model.named_parameters())
    assert model.centre.abs().min() >= 0.1 - 1e-6
    direct = (model.encoder(TRAIN.pixels.flatten(1)) - model.centre).square().sum(1)
    torch.testing.assert_close(model.raw(TRAIN.images), direct)


def test_the_variational_score_is_the_mean_bound_over_the_draws() -> None:
    model = finish(VariationalAutoencoder(epochs=1, width=4, latent=4, draws=3, batch_size=16).run(TRAIN))
    pixels = resized(TRAIN.pixels)
    mean, log = model.vae.encode(pixels)
    divergence = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, log.exp()), torch.distributions.Normal(0, 1)
    ).sum(1)
    made = [model.vae.decode(mean + log.exp() * noise) for noise in model.noise]
    nats = torch.stack([((one - pixels) / 0.25 / 0.3).square().flatten(1).sum(1) / 2 for one in made]).mean(0)
    assert model.noise.shape == (3, 4)
    torch.testing.assert_close(model.raw(TRAIN.images), nats + divergence, rtol=1e-4, atol=1e-4)
