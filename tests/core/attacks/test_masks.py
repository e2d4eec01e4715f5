"""Regions: exact sizes, the paper's numbers, one random mask per image and seed."""

import pytest
import torch

from core.attacks.inputs.regional.masks import frame, scattered, square, strongest


@pytest.mark.parametrize("area, side", [(0.161, 90), (0.287, 120), (0.448, 150)])
def test_square_has_the_paper_s_sides(area, side):
    mask = square(area, 224, 224)
    assert mask.shape == (1, 224, 224) and mask.sum() == side * side
    assert torch.equal(mask, mask.flip(1)) and torch.equal(mask, mask.flip(2))  # centred


@pytest.mark.parametrize("area, inner", [(0.171, 204), (0.281, 190), (0.451, 166)])
def test_frame_has_the_paper_s_widths(area, inner):
    mask = frame(area, 224, 224)
    assert mask.sum() == 224 * 224 - inner * inner
    assert mask[0, 0].all() and mask[0, :, -1].all() and not mask[0, 112, 112]


def test_medium_square_and_frame_match_in_area():
    assert abs(square(0.287, 224, 224).float().mean() - frame(0.287, 224, 224).float().mean()) < 0.01


@pytest.mark.parametrize("height, width", [(16, 16), (32, 20), (9, 31)])
def test_shapes_that_are_not_square(height, width):
    for area in (0.01, 0.3, 1.0):
        for mask in (square(area, height, width), frame(area, height, width)):
            assert mask.shape == (1, height, width) and mask.any()
            assert abs(mask.float().mean() - area) < 0.15 or area == 0.01
    assert square(1.0, height, width).all() and frame(1.0, height, width).all()


def test_random_pixels_are_exact_seeded_and_one_set_per_image():
    masks = scattered(0.287, 5, 32, 32, torch.Generator().manual_seed(4))
    assert (masks.flatten(1).sum(1) == round(0.287 * 1024)).all()
    assert torch.equal(masks, scattered(0.287, 5, 32, 32, torch.Generator().manual_seed(4)))
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks, scattered(0.287, 5, 32, 32, torch.Generator().manual_seed(5)))


def test_strongest_takes_the_hottest_pixels():
    heat = torch.arange(100.0).reshape(1, 10, 10)
    mask = strongest(0.2, heat)
    assert mask.sum() == 20 and mask[0, 8:].all()
    with pytest.raises(ValueError, match="image 1 is the same everywhere"):
        strongest(0.2, torch.stack([heat[0], torch.ones(10, 10)]))
    with pytest.raises(ValueError, match="singles out no region"):
        strongest(0.2, torch.full((1, 4, 4), torch.nan))
