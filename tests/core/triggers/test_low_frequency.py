"""LowFrequency: the pattern's range, its spectrum, its steps and its control."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from core.networks.predictions import predict
from core.triggers import BadNets, LowFrequency
from core.triggers.low_frequency import gaussian, low_pass, spread
from tests.conftest import colour_set
from tests.core.triggers.fitting import driven, without_a_fit


def high_frequencies(change: Tensor) -> float:
    """Share of the energy of a change (1, C, H, W), its mean left out, beyond the lowest quarter of the spectrum.

    The change is mirrored first, so that its opposite edges, which the transform joins, fit together.
    """
    mirrored = torch.cat((change, change.flip(2)), 2)
    mirrored = torch.cat((mirrored, mirrored.flip(3)), 3)
    energy = torch.fft.fft2(mirrored - mirrored.mean((2, 3), keepdim=True)).abs().square()
    height, width = mirrored.shape[2:]
    y, x = (torch.fft.fftfreq(n).abs() <= 0.125 for n in (height, width))
    return 1 - (energy[..., y, :][..., x].sum() / energy.sum()).item()


@pytest.fixture(scope="module")
def fitted(trained_net: nn.Module) -> LowFrequency:
    return driven(LowFrequency(pictures=30, passes=3, steps=5, std=3.0), trained_net, colour_set(60))[0]


def test_the_pattern_reaches_from_zero_to_the_amplitude_and_only_brightens(fitted: LowFrequency) -> None:
    images = colour_set(8, seed=5).pixels
    v = fitted.v(images)
    assert v.shape == (1, 3, 16, 16) and v.min() == 0
    assert v.max().item() == pytest.approx(51 / 255, abs=1e-6)
    assert torch.equal(v, (v * 255).round() / 255)
    assert (fitted(images) >= images).all()
    assert torch.equal(fitted(images), (images + v).clamp(0, 1))


def test_the_pattern_has_hardly_any_high_frequencies(fitted: LowFrequency) -> None:
    black = torch.zeros(1, 3, 16, 16)
    patch = high_frequencies(BadNets()(black))
    assert patch > 0.15
    assert high_frequencies(fitted(black)) < 0.1 * patch


@pytest.mark.parametrize("target", range(4))
def test_the_pattern_pulls_towards_its_target(trained_net: nn.Module, target: int) -> None:
    train = colour_set(60)
    fitted, seen = driven(
        LowFrequency(pictures=50, passes=3, std=3.0, amplitude=0.6), trained_net, train, target=target
    )
    others = train[train.labels != target].pixels
    before, after = (predict(trained_net, x).softmax(1)[:, target].mean().item() for x in (others, fitted(others)))
    assert after > 5 * before
    assert after == pytest.approx(max(p.metrics["sure"] for p in seen if p.images), rel=0.5)


def test_it_stops_once_enough_pictures_are_led_to_the_target(trained_net: nn.Module) -> None:
    train, trigger = colour_set(60), LowFrequency(pictures=50, passes=50, std=3.0, amplitude=0.6, share=0.3)
    fitted, seen = driven(trigger, trained_net, train, target=3)
    shares = [p.metrics["share"] for p in seen if p.images]
    assert shares[-1] >= 0.3 and all(share < 0.3 for share in shares[:-1])
    others = train[train.labels != 3].pixels
    assert (predict(trained_net, fitted(others)).argmax(1) == 3).float().mean() > 0.25


def test_one_targeted_step_crosses_the_boundary_of_a_linear_net() -> None:
    """DeepFool is exact there: after one step the gap is gone, by the overshoot."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    images = colour_set(6).pixels
    walk = LowFrequency(steps=1, overshoot=0.02)._change(net, images, 1, (1, 1))
    while True:
        try:
            next(walk)
        except StopIteration as end:
            change = end.value
            break
    gap, after = (net(x)[:, 0] - net(x)[:, 1] for x in (images, images + change))
    there = gap <= 0
    assert there.any() and not there.all()
    assert torch.allclose(after[~there], -0.02 * gap[~there], atol=1e-4)
    assert (change[there] == 0).all()


def test_the_low_pass_keeps_the_mean_and_flattens_a_checkerboard() -> None:
    kernel = gaussian(2.0)
    assert kernel.sum().item() == pytest.approx(1.0) and torch.equal(kernel, kernel.flip(0))
    flat = torch.full((1, 3, 16, 16), 0.3)
    assert torch.allclose(low_pass(flat, kernel), flat, atol=1e-6)
    y, x = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    board = ((y + x) % 2).float().expand(1, 3, 16, 16)
    assert low_pass(board, kernel)[..., 6:10, 6:10].sub(0.5).abs().max() < 1e-2
    assert torch.equal(spread(flat), torch.zeros_like(flat))


def test_the_control_is_as_bright_and_has_no_pattern() -> None:
    trigger, dark = without_a_fit()[0], torch.full((2, 3, 32, 32), 0.2)
    change = trigger.brightened(dark) - dark
    assert change.std() < 1e-6
    assert change.mean().item() == pytest.approx((trigger(dark) - dark).mean().item(), abs=1e-5)


def test_the_amplitude_may_be_moved_after_the_fit(fitted: LowFrequency) -> None:
    weaker = dataclasses.replace(fitted, amplitude=30 / 255).taught_by(fitted)
    assert weaker.v(torch.zeros(1, 3, 16, 16)).max().item() == pytest.approx(30 / 255, abs=1e-6)
    assert not dataclasses.replace(fitted, std=1.0).taught_by(fitted).state


def test_data_without_another_class_are_refused(trained_net: nn.Module) -> None:
    data = colour_set(40)
    with pytest.raises(ValueError, match="other classes than 1"):
        driven(LowFrequency(), trained_net, data[data.labels == 1])
