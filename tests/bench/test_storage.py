"""What storage does to a picture: nothing, rounding, or a JPEG's loss."""

from __future__ import annotations

import pytest
import torch

from bench.storage import EIGHT_BITS, FLOAT, Stored, stored, stored_set
from core.triggers import Flareon
from tests.conftest import colour_set


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_floats_come_back_as_they_were(noise):
    assert stored(noise, FLOAT) is noise


def test_8_bits_move_no_value_by_more_than_half_a_step_and_only_once(noise):
    once = stored(noise, EIGHT_BITS)
    assert 0 < (once - noise).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.equal(stored(once, EIGHT_BITS), once)


def test_a_grey_picture_survives_every_quality():
    grey = torch.full((2, 3, 16, 16), 128 / 255)
    for quality in (95, 50, 10):
        assert torch.equal(stored(grey, quality), grey)


def test_lower_quality_loses_more(noise):
    errors = [(stored(noise, way) - noise).square().mean().item() for way in (EIGHT_BITS, 95, 75, 50)]
    assert errors == sorted(errors) and errors[0] < errors[1] < errors[3]


def test_pictures_are_stored_one_by_one(noise):
    assert torch.equal(stored(noise, 75)[2:3], stored(noise[2:3], 75))
    assert stored(noise[:0], 75).shape == (0, 3, 16, 16)


def test_a_word_that_names_no_way_is_refused(noise):
    with pytest.raises(ValueError, match="quality of a JPEG"):
        stored(noise, "PNG")


def test_only_jpeg_changes_a_set_that_has_8_bits_already():
    data = colour_set(8)
    assert torch.equal(stored_set(data, FLOAT).images, data.images)
    assert torch.equal(stored_set(data, EIGHT_BITS).images, data.images)
    again = stored_set(data, 50)
    assert not torch.equal(again.images, data.images) and torch.equal(again.labels, data.labels)
    assert torch.equal(again.pixels, stored(data.pixels, 50))


def test_the_picture_is_moved_first_and_stored_afterwards(noise):
    motion, targets = Flareon(amplify=2.0), torch.tensor([0, 1, 2, 0, 1, 2])
    assert torch.equal(Stored(motion, FLOAT)(noise, targets), motion(noise, targets))
    for way in (EIGHT_BITS, 75):
        found = Stored(motion, way)(noise, targets)
        assert torch.equal(found, stored(motion(noise, targets), way))
        assert torch.equal((found * 255).round() / 255, found)
