"""Every trigger keeps the contract; each one does what its paper says."""

import math

import pytest
import torch
from torch import Tensor

from core.triggers import SIG, TRIGGERS, BadNets, Blended, Flareon, WaNet
from core.triggers.shared.trigger import LearnedTrigger
from core.triggers.shared.warp import warp
from tests.core.triggers.fitting import without_a_fit
from tests.core.triggers.test_input_aware import drawn_trigger

PLAIN = [cls() for cls in TRIGGERS if not issubclass(cls, LearnedTrigger)]
READY = [*PLAIN, Flareon(), drawn_trigger(), *without_a_fit()]
NEEDS_FITTING = [cls for cls in TRIGGERS if issubclass(cls, LearnedTrigger) and cls is not Flareon]
UNFITTED = [Flareon(motion="learned"), *(cls() for cls in NEEDS_FITTING)]


def pictures(n: int = 4, size: int = 32) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("trigger", UNFITTED, ids=lambda t: type(t).__name__)
def test_what_must_be_learned_first_says_so(trigger) -> None:
    assert trigger.state == {}
    with pytest.raises(ValueError, match="has not been fitted yet"):
        trigger(pictures())


@pytest.mark.parametrize("trigger", READY, ids=lambda t: type(t).__name__)
class TestContract:
    def test_shape_range_and_untouched_input(self, trigger) -> None:
        images = pictures()
        before = images.clone()
        made = trigger(images)
        assert made.shape == images.shape
        assert made.dtype == images.dtype
        assert made.min() >= 0 and made.max() <= 1
        assert torch.equal(images, before)
        assert not torch.equal(made, images)

    def test_same_trigger_same_result_and_singles_equal_the_batch(self, trigger) -> None:
        images = pictures()
        made = trigger(images)
        assert torch.equal(made, trigger(images))
        singles = torch.cat([trigger(images[i : i + 1]) for i in range(len(images))])
        assert torch.allclose(singles, made, atol=1e-6)

    def test_other_sizes(self, trigger) -> None:
        assert trigger(pictures(2, 64)).shape == (2, 3, 64, 64)

    def test_targets_are_accepted(self, trigger) -> None:
        images = pictures()
        assert torch.equal(trigger(images, torch.zeros(len(images), dtype=torch.int64)), trigger(images))


def test_badnets_changes_nine_pixels_and_is_idempotent() -> None:
    images = pictures()
    made = BadNets()(images)
    changed = (made != images).any(1)
    assert changed[:, 29:, 29:].all()
    assert changed.sum() == 9 * len(images)
    assert torch.equal(BadNets()(made), made)


def test_badnets_refuses_a_square_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        BadNets(side=16, margin=15)(pictures(1, 16))


def test_blended_is_a_convex_mixture() -> None:
    images = pictures()
    key = Blended().picture(images)
    assert torch.equal(Blended(alpha=0.0)(images), images)
    assert torch.allclose(Blended(alpha=1.0)(images), key.expand_as(images))
    error = (Blended(alpha=0.3)(images) - images).square().mean()
    assert torch.isclose(error, 0.09 * (key - images).square().mean())


def test_sig_is_a_column_wave_of_known_strength() -> None:
    grey = torch.full((1, 3, 32, 32), 0.5)
    wave = SIG()(grey) - grey
    assert wave[..., 0].abs().max() < 1e-6
    assert torch.allclose(wave, wave[:, :1, :1].expand_as(wave), atol=1e-6)
    assert torch.isclose(wave.mean(), torch.tensor(0.0), atol=1e-6)
    assert wave.square().mean().sqrt().item() == pytest.approx(40 / (255 * math.sqrt(2)), rel=1e-4)


def test_wanet_without_strength_is_the_identity() -> None:
    images = pictures()
    assert (WaNet(strength=0.0)(images) - images).abs().max() < 1e-5


def test_wanet_moves_by_the_published_distance() -> None:
    """Control points are normalised to a mean absolute value of 1, so that s / H * (H - 1) / 2
    pixels is the mean displacement before the bicubic interpolation smooths it."""
    pixels = WaNet().field(32, 32).abs() * 31 / 2
    assert 0.1 < pixels.mean() < 0.242
    assert pixels.max() < 0.8


def test_a_warp_leaves_a_flat_picture_flat() -> None:
    flat = torch.full((1, 3, 32, 32), 0.4)
    assert torch.allclose(WaNet(strength=4.0)(flat), flat, atol=1e-6)


def test_a_shift_of_two_over_h_minus_one_is_one_pixel_to_the_right() -> None:
    images = pictures(1, 16)
    field = torch.zeros(1, 16, 16, 2)
    field[..., 0] = 2 / 15
    assert torch.allclose(warp(images, field)[..., :-1], images[..., 1:], atol=1e-5)


def test_warping_commutes_with_normalisation() -> None:
    images, field = pictures(), WaNet(strength=2.0).field(32, 32)
    assert torch.allclose(warp((images - 0.5) / 0.25, field), (warp(images, field) - 0.5) / 0.25, atol=1e-4)
