"""Changes of pictures in frequency: the mean log-amplitude spectrum, and how much of a change is fine detail."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-5
"""Amplitudes below it count as this much, so that a change of a few smooth waves has a logarithm everywhere."""

FINE = 0.25
"""Half the Nyquist frequency, in cycles per pixel."""

WHITE = 1 - torch.pi * FINE**2
"""Share of white noise that `fine_share` is expected to give: the frequencies, a unit square, outside the disc."""


def log_amplitude(changes: Tensor) -> Tensor:
    """log10 |F| of the changes (N, C, H, W), F the orthonormal 2-D Fourier transform, the mean over pictures and
    channels: (H, W) on the CPU, frequency 0 in the middle."""
    amplitude = torch.fft.fft2(changes.cpu().double(), norm="ortho").abs()
    return torch.fft.fftshift(amplitude.clamp_min(FLOOR).log10().mean((0, 1)))


def fine_share(changes: Tensor) -> Tensor:
    """The share of each change's energy above half the Nyquist frequency, (N,) on the CPU; NaN where nothing changed.

    changes : (N, C, H, W). A frequency counts by the length of its vector, in cycles per pixel.
    """
    height, width = changes.shape[2:]
    rows, columns = (torch.fft.fftfreq(length) for length in (height, width))
    fine = (rows[:, None] ** 2 + columns**2).sqrt() > FINE
    energy = torch.fft.fft2(changes.cpu().double()).abs().square().sum(1)
    return (energy * fine).sum((1, 2)) / energy.sum((1, 2))
