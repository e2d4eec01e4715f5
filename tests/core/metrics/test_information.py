"""Bounds on mutual information in closed form, and of the layers of a network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from core.metrics.information import (
    FEATURES,
    PIXELS,
    gaussian_distance,
    gaussian_divergence,
    information_bounds,
    layer_information,
)
from tests.conftest import TinyNet, colour_set


def random(n: int = 6, d: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return mean, torch.rand(n, d, generator=generator, dtype=torch.float64) + 0.3


def test_pairwise_divergences_are_those_of_torch() -> None:
    mean, variance = random()
    normal = torch.distributions.Normal(mean, variance.sqrt())
    for i in range(len(mean)):
        one = torch.distributions.Normal(mean[i], variance[i].sqrt())
        expected = torch.distributions.kl_divergence(one, normal).sum(1)
        torch.testing.assert_close(gaussian_divergence(mean, variance)[i], expected)


def test_bhattacharyya_of_equal_variances_is_an_eighth_of_the_distance() -> None:
    mean, _ = random()
    variance = torch.full_like(mean, 0.25)
    expected = torch.cdist(mean, mean).square() / (8 * 0.25)
    torch.testing.assert_close(gaussian_distance(mean, variance), expected, atol=1e-9, rtol=1e-6)


def test_one_variance_for_all_is_a_shortcut() -> None:
    mean, _ = random()
    short, long = information_bounds(mean, 0.5), information_bounds(mean, torch.full_like(mean, 0.5))
    assert (short.lower, short.upper) == (pytest.approx(long.lower), pytest.approx(long.upper))


def test_nothing_and_everything() -> None:
    same = information_bounds(torch.zeros(8, 2), 1.0)
    assert same.lower == pytest.approx(0) == pytest.approx(same.upper)
    apart = information_bounds(1000 * torch.eye(8), 1.0)
    assert apart.lower == pytest.approx(math.log(8)) == pytest.approx(apart.upper)


def test_k_clusters_are_log_k() -> None:
    clusters = (1000 * torch.eye(4)).repeat(5, 1)
    found = information_bounds(clusters, 1.0)
    assert found.lower == pytest.approx(math.log(4)) == pytest.approx(found.upper)


def test_two_pictures_lie_between_the_bounds() -> None:
    """Z ~ N(+-1, 1): the information is found by integration."""
    z = torch.linspace(-9, 9, 20001, dtype=torch.float64)
    density = [torch.exp(-0.5 * (z - m) ** 2) / math.sqrt(2 * math.pi) for m in (-1.0, 1.0)]
    mixture = sum(density) / 2
    true = -torch.trapezoid(mixture * mixture.log(), z).item() - 0.5 * math.log(2 * math.pi * math.e)
    found = information_bounds(torch.tensor([[-1.0], [1.0]]), 1.0)
    assert found.lower < true < found.upper


def test_layers_of_a_network_scale_and_order_count_for_nothing(trained_net: nn.Module) -> None:
    data = colour_set(64)
    found = layer_information(trained_net, data.images)
    assert [*found][:: len(found) - 1] == [PIXELS, FEATURES]
    assert all(0 <= each.lower <= each.upper <= math.log(64) + 1e-9 for each in found.values())
    flipped = layer_information(trained_net, data.images.flip(0))
    assert found[FEATURES].upper == pytest.approx(flipped[FEATURES].upper, abs=1e-4)
    assert found[FEATURES].upper < found[PIXELS].upper, "four colours are fewer than 64 pictures"


def test_as_many_dimensions_as_pictures_do() -> None:
    wide = torch.randn(5, 40, generator=torch.Generator().manual_seed(1)).double()
    rotated = wide @ torch.linalg.qr(torch.randn(40, 40, dtype=torch.float64))[0]
    assert information_bounds(wide, 9.0).upper == pytest.approx(information_bounds(rotated, 9.0).upper)


def test_one_picture_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least 2, not 1"):
        layer_information(TinyNet().eval(), colour_set(4)[:1].images)
