"""Regions: exact sizes, the paper's numbers, one random mask per image and seed."""

import pytest
import torch

from core.attacks import Regional, drawn
from core.attacks.inputs.regional.masks import frame, grid_from_hex, grid_to_hex, scattered, square, strongest
from core.runs import finish


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


def grid_of(*cells: tuple[int, int]) -> torch.Tensor:
    grid = torch.zeros(16, 16, dtype=torch.bool)
    for row, column in cells:
        grid[row, column] = True
    return grid


def test_a_drawn_grid_survives_its_hex_digits():
    digits = grid_to_hex(grid_of((0, 0), (15, 15), (3, 12)))
    assert digits[:4] == "8000" and digits[-4:] == "0001" and digits[12:16] == "0008" and len(digits) == 64
    for grid in (grid_of((0, 0), (15, 15), (3, 12)), torch.rand(16, 16) > 0.5):
        assert torch.equal(grid_from_hex(grid_to_hex(grid)), grid)
        assert torch.equal(grid_from_hex(grid_to_hex(grid).upper()), grid)


def test_a_drawn_region_fits_the_image():
    digits = grid_to_hex(grid_of((0, 0), (15, 15)))
    mask = drawn(digits, 32, 64)
    assert mask.shape == (1, 32, 64) and mask.dtype == torch.bool and mask.sum() == 2 * 2 * 4
    assert mask[0, :2, :4].all() and mask[0, -2:, -4:].all()
    assert drawn(grid_to_hex(torch.ones(16, 16)), 9, 31).all()


@pytest.mark.parametrize("digits", [None, 12, "", "ff", "g" * 64, "f" * 65, "f" * 64 + "\n"])
def test_what_is_no_grid_is_refused(digits):
    with pytest.raises(ValueError, match="must be 64 hex digits, four for each of 16 rows"):
        drawn(digits, 32, 32)
    with pytest.raises(ValueError, match="The mask is empty; mark at least one cell"):
        drawn("0" * 64, 32, 32)


def test_only_the_drawn_region_changes(trained_net, colours):
    region = drawn(grid_to_hex(grid_of((2, 3))), 16, 16)
    attack = Regional(family="drawn", steps=3)
    made = finish(attack.run(trained_net, colours.pixels[:4], colours.labels[:4], mask=region))
    moved = (made.images != colours.pixels[:4]).any(1).any(0)
    assert moved.nonzero().tolist() == [[2, 3]]
