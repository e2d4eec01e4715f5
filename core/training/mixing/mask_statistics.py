"""How masks differ: the spectrum of their power, how many neighbours differ, and how long their outlines are."""

from __future__ import annotations

import torch
from torch import Tensor


def power_spectrum(masks: Tensor) -> Tensor:
    """The share of the masks' power at each frequency (H, W), the mean over the masks (M, H, W); frequency 0 in the
    middle, where `fftshift` puts it, is 0, since each mask's mean is taken off. All 0 where no mask varies."""
    centred = masks.double() - masks.double().mean((1, 2), keepdim=True)
    power = torch.fft.fft2(centred).abs().square().mean(0)
    power[0, 0] = 0
    total = power.sum()
    return torch.fft.fftshift(power / total if total > 0 else power)


def radial_spectrum(masks: Tensor) -> tuple[Tensor, Tensor]:
    """The spectrum by the length of the frequency vector: frequencies in cycles per picture (R,), and the mean share of
    the power of one coefficient at each (R,). Frequencies are rounded to whole cycles of the longer side, up to half
    of it."""
    height, width = masks.shape[1:]
    longer = max(height, width)
    rows, columns = (torch.fft.fftshift(torch.fft.fftfreq(length)) * longer for length in (height, width))
    ring = (rows[:, None] ** 2 + columns**2).sqrt().round().long().flatten()
    power = torch.bincount(ring, power_spectrum(masks).flatten().cpu()) / torch.bincount(ring).clamp_min(1)
    found = torch.arange(1, longer // 2 + 1)
    return found.double(), power[1 : longer // 2 + 1]


def edge_density(masks: Tensor) -> tuple[float, float]:
    """The share of neighbouring pixels of masks (M, H, W) that lie on different sides of 1/2, along the width and
    along the height; 0 where there are no neighbours."""
    inside = masks > 0.5
    across = (inside[:, :, 1:] != inside[:, :, :-1]).double().flatten()
    down = (inside[:, 1:] != inside[:, :-1]).double().flatten()
    return tuple(float(each.mean()) if len(each) else 0.0 for each in (across, down))  # type: ignore[return-value]


def perimeter(masks: Tensor) -> Tensor:
    """How long the outline of each mask (M, H, W) is, in sides of pixels; the border of the picture is no outline."""
    inside = masks > 0.5
    across = (inside[:, :, 1:] != inside[:, :, :-1]).sum((1, 2))
    return across + (inside[:, 1:] != inside[:, :-1]).sum((1, 2))
