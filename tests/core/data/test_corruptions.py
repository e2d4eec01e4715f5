"""Each corruption against its closed form, and what all of them keep."""

from __future__ import annotations

import pytest
import torch

from core.data.corruptions import CORRUPTIONS, SEVERITIES, blur, brightness, contrast, corrupted, pixelate
from core.data.imageset import ImageSet
from tests.conftest import colour_set

NONE = torch.Generator()
GREY = ImageSet(torch.full((4, 3, 32, 32), 64, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), ("grey",))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_seed_size_and_severity(name: str) -> None:
    data = colour_set(8, size=32)
    made = [corrupted(data, name, severity, seed=1) for severity in SEVERITIES]
    assert all(each.images.shape == data.images.shape and each.images.dtype == torch.uint8 for each in made)
    assert torch.equal(corrupted(data, name, 5, seed=1).images, made[-1].images)
    errors = [(each.pixels - data.pixels).square().mean() for each in made]
    assert 0 < errors[0] < errors[-1]
    assert torch.equal(made[0].labels, data.labels)


@pytest.mark.parametrize("name", ["blur", "contrast", "pixelate", "jpeg"])
def test_a_plain_picture_stays_plain(name: str) -> None:
    assert (corrupted(GREY, name, 5).images.int() - GREY.images.int()).abs().max() <= 1


def test_noise_has_its_deviation() -> None:
    assert corrupted(GREY, "noise", 3).pixels.std() == pytest.approx(0.08, rel=0.05)


def test_contrast_shrinks_each_channel_about_its_mean() -> None:
    x = torch.rand(2, 3, 8, 8)
    made = contrast(x, 2, NONE)
    assert torch.allclose(made.mean((2, 3)), x.mean((2, 3)), atol=1e-6)
    assert torch.allclose(made.std((2, 3)), x.std((2, 3)) / 2, atol=1e-6)


def test_brightness_adds_to_the_value_and_keeps_hue_and_saturation() -> None:
    x = torch.tensor([0.6, 0.3, 0.0])[None, :, None, None]
    assert torch.allclose(brightness(x, 2, NONE)[0, :, 0, 0], torch.tensor([0.7, 0.35, 0.0]))
    assert torch.allclose(brightness(torch.zeros(1, 3, 1, 1), 1, NONE), torch.full((1, 3, 1, 1), 0.05))


def test_a_blurred_point_is_a_bell() -> None:
    x = torch.zeros(1, 1, 15, 15)
    x[0, 0, 7, 7] = 1
    made = blur(x, 5, NONE)[0, 0]
    assert made.sum() == pytest.approx(1) and torch.allclose(made, made.T)
    assert made[7, 8] / made[7, 7] == pytest.approx(2.718281828**-0.5, rel=1e-4)


def test_pixelation_has_fewer_different_columns() -> None:
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    assert len(pixelate(ramp, 5, NONE)[0, 0, 0].unique()) == int(0.65 * 32)


def test_occlusion_covers_its_share_with_one_grey_square() -> None:
    covered = (corrupted(GREY, "occlusion", 3).images == 128)[:, 0]
    side = round(0.2**0.5 * 32)
    assert covered.sum((1, 2)).tolist() == [side**2] * 4
    assert all(len(each.any(1).nonzero()) == side for each in covered)


def test_bad_input_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no corruption 'rain'; there are noise, "):
        corrupted(GREY, "rain")
    with pytest.raises(ValueError, match="severity = 6 is not 1, 2, 3, 4 or 5"):
        corrupted(GREY, "noise", 6)
