"""FMix's grey images and masks: spectra, ranks, edges."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.training.mixing.low_frequency_masks import (
    _brightest,
    _by_rank,
    frequencies,
    grey_images,
    official_grey_images,
    thresholded,
    waves,
)

CPU = torch.device("cpu")
HALF = torch.tensor([0.5])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def edges(masks: Tensor) -> tuple[float, float]:
    """Share of neighbouring pixels that differ, along the width and along the height."""
    across = (masks[:, :, 1:] != masks[:, :, :-1]).double().mean()
    down = (masks[:, 1:] != masks[:, :-1]).double().mean()
    return across.item(), down.item()


def masks_of(made, count: int = 3000) -> Tensor:
    grey = made(count, (32, 32), 3.0, CPU, generator())
    return thresholded(grey, HALF.expand(count), torch.zeros(count, dtype=torch.bool))


def test_paper_mode_is_the_same_in_every_direction() -> None:
    across, down = edges(masks_of(grey_images))
    assert across == pytest.approx(0.0515, rel=0.03) and down == pytest.approx(0.0512, rel=0.03)
    assert across == pytest.approx(down, rel=0.03)


def test_official_mode_is_not() -> None:
    across, down = edges(masks_of(official_grey_images))
    assert across == pytest.approx(0.061, rel=0.04) and down == pytest.approx(0.042, rel=0.04)


def power_across(grey: Tensor) -> Tensor:
    """Share of the power at each frequency of the width, the picture's mean left out; means over the pictures."""
    grey = grey.double()
    power = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs().square().sum(1)
    return (power / power.sum(1, keepdim=True)).mean(0)


def test_official_mode_has_two_frequencies_along_the_width() -> None:
    official = power_across(official_grey_images(2000, (32, 32), 3.0, CPU, generator()))
    assert official[2:-1].sum() < 1e-10  # rounding of float32
    assert official[[0, 1, -1]].tolist() == pytest.approx([0.12, 0.44, 0.44], abs=0.01)
    paper = power_across(grey_images(2000, (32, 32), 3.0, CPU, generator()))
    assert paper[2:-1].sum() == pytest.approx(0.027, abs=0.003)


@pytest.mark.parametrize("length", [1, 2, 5, 8, 33])
def test_waves_are_orthonormal_and_each_has_its_frequency(length: int) -> None:
    rows = waves(length, CPU)
    torch.testing.assert_close(rows @ rows.T, torch.eye(length), rtol=0, atol=1e-5)
    power = torch.fft.fft(rows.double()).abs().square()
    there = torch.fft.fftfreq(length).abs()
    for k in range(length):
        assert power[k][there != there[k]].sum() < 1e-8 * length  # k and -k alone


def test_grey_images_are_those_of_the_complex_transform() -> None:
    """The covariance of pixels is sum_k f^(-2 decay) cos(2 pi k (x - x')), as that of Re ifft2(normal / f^decay)."""
    size, decay = (6, 5), 1.5
    ours = waves(6, CPU).T[:, None, :, None] * waves(5, CPU).T[None, :, None, :]
    ours = (ours * frequencies(*size, CPU) ** -decay).flatten(2).flatten(0, 1).double()
    units = torch.eye(30, dtype=torch.complex128).reshape(30, *size) * frequencies(*size, CPU).double() ** -decay
    parts = torch.cat([torch.fft.ifft2(units, norm="ortho").real, torch.fft.ifft2(1j * units, norm="ortho").real])
    theirs = parts.flatten(1)
    torch.testing.assert_close(ours @ ours.T, theirs.T @ theirs, rtol=1e-4, atol=1e-5)


def test_the_spectrum_falls_as_asked() -> None:
    """E |FFT|^2 is proportional to f^(-2 decay): the mean of their ratio is the same at every frequency."""
    grey = grey_images(6000, (12, 20), 1.5, CPU, generator())
    level = torch.fft.fft2(grey.double()).abs().square().mean(0) * frequencies(12, 20, CPU).double() ** 3
    assert level.std() / level.mean() < 0.04


def test_frequencies() -> None:
    f = frequencies(4, 6, CPU)
    assert f[0, 0] == pytest.approx(1 / 6)  # in the place of 0
    assert f[1, 0] == pytest.approx(1 / 4) and f[0, 1] == pytest.approx(1 / 6)
    assert f[1, 2] == pytest.approx((1 / 16 + 1 / 9) ** 0.5)


def reference_official(normal: Tensor, size: tuple[int, int], decay: float) -> Tensor:
    """What the released sampler does, step by step, with given normal numbers (H, columns, 2)."""
    import numpy as np

    height, width = size
    columns = normal.shape[1]
    fx, fy = np.fft.fftfreq(width)[:columns], np.fft.fftfreq(height)[:, None]
    f = np.sqrt(fx * fx + fy * fy)
    spectrum = (normal.numpy() / np.maximum(f, 1 / max(size))[..., None] ** decay)[None]
    spectrum = spectrum[:, 0] + 1j * spectrum[:, 1]
    return torch.from_numpy(np.fft.irfftn(spectrum, size, axes=(-2, -1))[0])


@pytest.mark.parametrize("size", [(32, 32), (8, 12), (6, 20), (9, 7), (20, 6)], ids=str)
def test_official_mode_step_by_step(size: tuple[int, int]) -> None:
    width = size[1]
    columns = width // 2 + 1 + width % 2
    made = official_grey_images(1, size, 3.0, CPU, generator())[0]
    drawn = torch.zeros(size[0], columns, 2, dtype=torch.float64)
    drawn[:2] = torch.randn(1, 2, columns, 2, generator=generator())[0].double()  # rows 0 and 1 are all that is read
    expected = reference_official(drawn, size, 3.0)
    torch.testing.assert_close(made.double(), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize("made", [grey_images, official_grey_images])
@pytest.mark.parametrize("size", [(1, 9), (9, 1), (2, 2), (5, 4), (33, 17)], ids=str)
def test_any_size(made, size: tuple[int, int]) -> None:
    grey = made(5, size, 3.0, CPU, generator())
    assert grey.shape == (5, *size) and bool(grey.isfinite().all())
    lam = torch.tensor([0.0, 0.25, 0.5, 0.875, 1.0])
    masks = thresholded(grey, lam, torch.zeros(5, dtype=torch.bool))
    assert masks.sum((1, 2)).tolist() == [int(share * size[0] * size[1]) for share in (0, 0.25, 0.5, 0.875, 1)]


def test_the_number_of_pixels_is_rounded_as_the_coin_says() -> None:
    grey = grey_images(2, (5, 5), 3.0, CPU, generator())
    masks = thresholded(grey, torch.tensor([0.5, 0.5]), torch.tensor([False, True]))
    assert masks.sum((1, 2)).tolist() == [12, 13]


def test_masks_of_one_picture_are_nested() -> None:
    grey = official_grey_images(1, (2, 16), 3.0, CPU, generator()).expand(33, 2, 16)
    for softness in (0.0, 0.1):
        masks = thresholded(grey, torch.arange(33) / 32, torch.zeros(33, dtype=torch.bool), softness)
        assert (masks[1:] >= masks[:-1]).all()


def test_equal_brightness_goes_by_position() -> None:
    flat, count = torch.zeros(4, 6), torch.tensor([0, 2, 5, 6])
    hard = torch.tensor([[0.0] * 6, [1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0], [1.0] * 6])
    assert torch.equal(_brightest(flat, count), hard)
    assert torch.equal(_by_rank(flat, count, torch.zeros(4, dtype=torch.int64)), hard)


def test_values_and_ranks_agree() -> None:
    flat = grey_images(300, (9, 11), 3.0, CPU, generator()).flatten(1)
    flat[::3] = flat[::3].round(decimals=1)  # ties
    count = torch.randint(100, (300,), generator=generator())
    kept = flat.clone()
    assert torch.equal(_brightest(flat, count), _by_rank(flat, count, torch.zeros_like(count)))
    assert torch.equal(flat, kept)


def test_a_soft_edge_is_a_ramp_by_rank_with_the_same_sum() -> None:
    grey = torch.arange(20.0).reshape(1, 4, 5)
    soft = thresholded(grey, torch.tensor([0.4]), torch.tensor([False]), 0.1).flatten()
    assert soft.tolist() == pytest.approx([0] * 10 + [0, 1 / 3, 2 / 3, 1] + [1] * 6)
    lam = torch.rand(200, generator=generator())
    masks = thresholded(grey_images(200, (16, 16), 3.0, CPU, generator()), lam, lam > 0.5, 0.5)
    assert ((masks.sum((1, 2)) - lam * 256).abs() < 1).all()
    assert ((masks >= 0) & (masks <= 1)).all()
