"""The VAE in closed form, what is shared with itself, and bad input."""

from __future__ import annotations

import math

import pytest
import torch

from core.information import SharedInformation
from core.information.shared_information import BASE, CODE, MIXERS
from core.networks.vae import VAE, code_divergence
from core.runs import finish
from tests.conftest import colour_set

SHORT = SharedInformation(epochs=1, pictures=64, batch_size=32, width=4, latent=4, repeats=2)


def test_the_divergence_from_a_standard_normal_code() -> None:
    mean, log = torch.randn(5, 3), 0.3 * torch.randn(5, 3)
    normal = torch.distributions.Normal(mean, log.exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(code_divergence(mean, log), expected)
    assert code_divergence(torch.zeros(2, 4), torch.zeros(2, 4)).tolist() == [0, 0]


def test_an_untrained_code_says_nothing_and_sizes_fit() -> None:
    vae = VAE(width=4, latent=6).eval()
    pictures = torch.rand(3, 3, 32, 32)
    mean, log = vae.encode(pictures)
    assert mean.shape == (3, 6) and not mean.any() and not log.any(), "the heads start at 0"
    assert vae.reconstruct(pictures).shape == pictures.shape and vae(pictures).shape == (3,)
    assert [layer.shape[2] for layer in vae.layers(pictures)] == [16, 8, 4, 2]


def test_every_augmentation_has_its_bounds_and_the_same_seed_gives_the_same() -> None:
    train, test = colour_set(64, size=32), colour_set(24, size=32, seed=1)
    found, again = (finish(SHORT.run(train, test, seed=3)) for _ in range(2))
    assert found == again and list(found.shared) == list(MIXERS)
    for name in MIXERS:
        assert len(found.shared[name]) == len(found.layers[name]) == 2
        assert all(each.lower >= 0 and each.upper >= 0 for each in found.shared[name])
        for layers in found.layers[name]:
            assert list(layers)[-1] == CODE and len(layers) == 5
            assert all(0 <= each.lower <= each.upper <= math.log(24) + 1e-9 for each in layers.values())
    assert found.shared[BASE][0] != found.shared[BASE][1], "the repeats start from other weights"


def test_training_makes_reconstructions_closer() -> None:
    data = colour_set(64, size=32)
    run = SharedInformation(epochs=30, pictures=64, batch_size=32, width=4, latent=4, repeats=1)
    losses = []
    steps = run.run(data, data[:8])
    for progress in steps:
        if progress.stage == "measure":
            break
        if "loss" in progress.metrics:
            losses.append(progress.metrics["loss"])
    steps.close()
    assert losses[-1] < 0.9 * losses[0]


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="32 x 32 pixels; load the data with size=32"):
        next(SHORT.run(colour_set(64, size=16), colour_set(4, size=16)))
    with pytest.raises(ValueError, match="at least 2, not 1"):
        next(SHORT.run(colour_set(64, size=32), colour_set(1, size=32)))
