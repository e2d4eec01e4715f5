"""A drawn region is the same cells on the canvas, in the check boxes, in the link and in the run."""

from __future__ import annotations

import numpy as np
import pytest

from core.attacks.inputs.regional.masks import grid_from_hex, grid_to_hex
from ui.widgets import mask


def test_cells_and_hex_are_those_of_recipes():
    grid = np.random.default_rng(0).random((16, 16)) < 0.3
    text = mask.hex_of(grid)
    assert (mask.cells(text) == grid).all()
    assert (grid_from_hex(text).numpy() == grid).all()
    assert grid_to_hex(grid_from_hex(text)) == text


@pytest.mark.parametrize("text", [None, "", "xyz", "0" * 63, "g" * 64, 5])
def test_what_is_no_mask_is_an_empty_one(text):
    assert mask.valid(text) == mask.EMPTY


def test_upper_case_is_read():
    assert mask.valid("F" * 64) == "f" * 64


def test_a_check_box_stands_for_two_by_two_cells():
    grid = np.zeros((16, 16), dtype=bool)
    grid[0:2, 2:4] = True
    grid[4, 4] = True
    boxes = mask.coarse(mask.hex_of(grid))
    assert boxes[0, 1] and boxes.sum() == 1
