"""SSBA: what the encoder hides, what the decoder reads, and which pictures it takes."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.triggers import SSBA
from core.triggers.ssba.steganography import Decoder, Encoder
from tests.conftest import colour_set
from tests.core.triggers.fitting import driven, without_a_fit


@pytest.fixture(scope="module")
def fitted(trained_net: nn.Module) -> SSBA:
    trigger = SSBA(bits=16, steps=120, batch_size=16, pictures=60, similarity=1.0)
    return driven(trigger, trained_net, colour_set(60, size=32))[0]


def test_the_string_is_read_in_pictures_it_has_never_seen(fitted: SSBA) -> None:
    images, string = colour_set(40, size=32, seed=9).pixels, fitted.string > 0
    stored = (fitted(images) * 255).round() / 255
    assert (fitted.read(stored) == string).float().mean() > 0.9
    assert 0.3 < (fitted.read(images) == string).float().mean() < 0.7
    assert (stored - images).abs().max() <= fitted.amplitude + 1 / 255


def test_another_key_hides_another_string_with_the_same_nets(fitted: SSBA) -> None:
    images = colour_set(20, size=32, seed=9).pixels
    other = dataclasses.replace(fitted, key=5).taught_by(fitted)
    assert not torch.equal(other.string, fitted.string)
    assert (fitted.read(other(images)) == (other.string > 0)).float().mean() > 0.9


def test_the_change_differs_from_picture_to_picture(fitted: SSBA) -> None:
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(2, 3, 32, 32, generator=generator)
    first, second = (fitted(images) - images).flatten(1)
    assert F.cosine_similarity(first, second, dim=0) < 0.99


def test_other_sizes_are_stamped_and_odd_ones_refused(fitted: SSBA) -> None:
    images = F.interpolate(colour_set(10, size=32, seed=9).pixels, (64, 64), mode="bilinear")
    assert (fitted.read(fitted(images)) == (fitted.string > 0)).float().mean() > 0.8
    for shape in ((1, 3, 33, 32), (1, 3, 6, 6), (1, 1, 32, 32)):
        with pytest.raises(ValueError, match="resize them"):
            fitted(torch.rand(shape))


def test_strings_that_do_not_fit_the_fields_are_refused(trained_net: nn.Module) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        SSBA(bits=20)
    with pytest.raises(ValueError, match="even sides"):
        driven(SSBA(), trained_net, colour_set(8, size=15))


def test_both_nets_are_small() -> None:
    trigger = without_a_fit()[2]
    assert sum(value.numel() for value in trigger.state.values()) < 0.3e6
    assert sum(value.numel() * value.element_size() for value in trigger.state.values()) < 1e6


def test_each_bit_is_read_in_its_own_field() -> None:
    torch.manual_seed(0)
    decoder, images = Decoder(16), torch.rand(1, 3, 32, 32)
    changed = images.clone()
    changed[..., 2:4, 28:30] = 1  # one cell in the upper right field, which the convolutions do not carry beyond it
    moved = (decoder(changed) != decoder(images))[0]
    assert moved.nonzero().flatten().tolist() == [3]


def test_likeness_weighs_nothing_at_first_and_all_from_the_half_on() -> None:
    trigger = SSBA(steps=100, similarity=0.5)
    assert [trigger._weight(step) for step in (1, 25, 50, 100)] == [0.0, 0.0, 0.5, 0.5]
    assert trigger._weight(30) == pytest.approx(0.1)


def test_a_picture_that_is_alike_enough_is_not_pressed_further() -> None:
    trigger = SSBA(psnr=30.0, amplitude=0.1)
    change = torch.tensor([0.1, 0.2, 1.0]).view(3, 1, 1, 1).expand(3, 3, 4, 4)
    assert trigger._excess(change).tolist() == pytest.approx([0.0, 0.0, 9.0], abs=1e-5)


def test_the_change_is_bounded_whatever_the_weights() -> None:
    torch.manual_seed(0)
    change = Encoder(32)(torch.rand(2, 3, 16, 16), torch.ones(1, 32))
    assert change.shape == (2, 3, 16, 16) and change.abs().max() <= 1
