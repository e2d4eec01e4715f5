"""Spectra of changes in closed form: a wave has one pair of coefficients, white noise is flat."""

from __future__ import annotations

import math

import pytest
import torch

from core.metrics.spectrum import FLOOR, WHITE, fine_share, log_amplitude


def wave(cycles: int, side: int = 16) -> torch.Tensor:
    """A cosine of so many cycles along the width, (1, 1, H, W)."""
    return torch.cos(2 * math.pi * cycles * torch.arange(side) / side).expand(1, 1, side, side)


@pytest.mark.parametrize(("cycles", "share"), [(0, 0.0), (1, 0.0), (4, 0.0), (5, 1.0), (8, 1.0)])
def test_the_energy_of_a_wave_lies_on_one_side_of_half_the_nyquist_frequency(cycles: int, share: float) -> None:
    assert fine_share(wave(cycles)).item() == pytest.approx(share, abs=1e-9)


def test_two_waves_of_equal_size_share_the_energy_whatever_their_size() -> None:
    both = 1e-3 * (wave(2) + wave(6))
    assert fine_share(torch.cat([both, wave(6)])).tolist() == pytest.approx([0.5, 1.0])
    assert fine_share(torch.zeros(1, 3, 8, 8)).isnan().all()


def test_random_signs_have_the_share_of_a_flat_spectrum_also_within_a_region() -> None:
    signs = torch.randint(0, 2, (200, 3, 32, 32), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    signs[:, :, :, 16:] = 0
    assert fine_share(signs).mean().item() == pytest.approx(WHITE, abs=0.01)


def test_the_spectrum_of_a_wave_is_two_points_beside_the_middle() -> None:
    found = log_amplitude(torch.cat([wave(3), wave(3)]))
    side = 16
    peak = math.log10(side / 2)  # orthonormal: half of the amplitude at each of +3 and -3, times sqrt(H * W)
    assert found[8, 8 + 3].item() == pytest.approx(peak) and found[8, 8 - 3].item() == pytest.approx(peak)
    rest = found.clone()
    rest[8, 11] = rest[8, 5] = math.log10(FLOOR)
    assert rest.max().item() == pytest.approx(math.log10(FLOOR), abs=0.5), "nothing but rounding"
