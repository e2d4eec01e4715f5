"""Spectra, edges and outlines of masks in closed form."""

from __future__ import annotations

import pytest
import torch

from core.training.mixing.mask_statistics import edge_density, perimeter, power_spectrum, radial_spectrum

STRIPES = (torch.arange(32) % 8 < 4).float().expand(3, 32, 32)  # four periods across the width
SQUARE = torch.zeros(1, 10, 12)
SQUARE[0, 2:5, 3:9] = 1


def test_the_power_of_stripes_lies_along_the_width() -> None:
    power = power_spectrum(STRIPES)
    assert power.sum() == pytest.approx(1)
    assert power[16, 16 + 4] == pytest.approx(power[16, 16 - 4].item()) and power[16, 16 + 4] > 0.3
    assert power.sum(1)[16] == pytest.approx(1)
    frequency, share = radial_spectrum(STRIPES)
    assert frequency.tolist() == list(range(1, 17)) and share.argmax() == 3


def test_a_mask_that_does_not_vary_has_no_power() -> None:
    assert power_spectrum(torch.ones(2, 8, 8)).sum() == 0
    assert edge_density(torch.ones(2, 8, 8)) == (0, 0) and perimeter(torch.ones(2, 8, 8)).tolist() == [0, 0]


def test_edges_and_outlines_are_counted() -> None:
    across, down = edge_density(STRIPES)
    assert across == pytest.approx(7 / 31) and down == 0
    assert perimeter(SQUARE).tolist() == [2 * (3 + 6)]
    assert edge_density(SQUARE) == (pytest.approx(6 / (10 * 11)), pytest.approx(12 / (9 * 12)))
    assert edge_density(torch.ones(1, 1, 4)) == (0, 0)


def test_a_square_at_the_border_has_no_outline_there() -> None:
    corner = torch.zeros(1, 6, 6)
    corner[0, :2, :3] = 1
    assert perimeter(corner).tolist() == [5]
