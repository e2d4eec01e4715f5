"""FMix's masks: grey images with falling Fourier amplitudes, and their brightest pixels."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

PAPER, OFFICIAL = "paper", "official-code"


def frequencies(height: int, width: int, device: torch.device) -> Tensor:
    """f (H, W) in cycles per pixel: the length of each Fourier coefficient's frequency vector, as `fftfreq` orders
    them, and at least 1 / max(H, W), so that the mean of a picture is not divided by 0."""
    rows, columns = (torch.fft.fftfreq(length, device=device) for length in (height, width))
    return (rows[:, None] ** 2 + columns**2).sqrt().clamp_min(1 / max(height, width))


def grey_images(
    count: int, size: tuple[int, int], decay: float, device: torch.device, generator: torch.Generator | None
) -> Tensor:
    """(count, H, W), distributed as the real part of the inverse Fourier transform of complex normal numbers over
    f^decay, up to a factor.

    f is the same for k and -k, so it scales the waves of real pictures as well. Independent normal numbers are as many
    in every orthonormal basis: those of sines and cosines are drawn, one per pixel, scaled, and summed by two matrix
    products, which for pictures of this size take less time than a complex transform.
    """
    height, width = size
    scaled = torch.randn(count, height, width, device=device, generator=generator)
    scaled *= frequencies(height, width, device) ** -decay
    return waves(height, device).T @ (scaled @ waves(width, device))


@functools.cache
def waves(length: int, device: torch.device) -> Tensor:
    """Orthonormal (length, length): row k is a wave of `fftfreq`'s k-th frequency, a cosine for k >= 0, a sine else."""
    k, place = torch.fft.fftfreq(length)[:, None].double(), torch.arange(length)
    angle = 2 * math.pi * k * place
    rows = torch.where((k < 0) & (k > -0.5), angle.sin(), angle.cos())
    return (rows / rows.norm(dim=1, keepdim=True)).float().to(device)


def official_grey_images(
    count: int, size: tuple[int, int], decay: float, device: torch.device, generator: torch.Generator | None
) -> Tensor:
    """(count, H, W) as the released sampler makes them.

    It draws the half spectrum (H, W // 2 + 1, 2) of real pictures, real and imaginary parts last, and scales it
    by 1 / f^decay. But then it reads rows 0 and 1 in the place of those parts. What is transformed is thus a block
    (W // 2 + 1, 2): the frequencies of the width stand along the height, and along the width there are two alone, 0
    and 1. The scales are those of row 0 for the real parts and of row 1 for the imaginary ones. For an odd width the
    sampler takes one column more than there are.
    """
    height, width = size
    columns = min(width, width // 2 + 1 + width % 2)
    rows = [0, min(1, height - 1)]  # a picture of one row, which the sampler fails on, has that row twice
    scales = frequencies(height, width, device)[rows, :columns] ** -decay
    normal = torch.randn(count, 2, columns, 2, device=device, generator=generator) * scales[:, :, None]
    return torch.fft.irfft2(torch.complex(normal[:, 0], normal[:, 1]), s=size)


def thresholded(grey: Tensor, lam: Tensor, up: Tensor, soft: float = 0.0) -> Tensor:
    """Masks (M, H, W): 1 at the lam H W brightest pixels of each grey image, 0 elsewhere.

    lam : (M,) in [0, 1]
    up : bool (M,), whether the number of pixels is rounded up rather than down
    soft : with k = floor(H W min(soft, lam, 1 - lam)) the 2 k pixels around the cut fall from 1 to 0 in equal steps,
        by rank, which leaves the sum as it is

    Of equally bright pixels the first counts as brighter, so that masks of one grey image are nested in lam.
    """
    flat = grey.flatten(1)
    pixels = flat.shape[1]
    exact = lam.double() * pixels
    count = torch.where(up, exact.ceil(), exact.floor()).long()
    if flat.is_cpu and soft == 0:
        return _brightest(flat, count).view_as(grey)
    half = (pixels * torch.minimum(lam, 1 - lam).double().clamp_max(soft)).long()
    return _by_rank(flat, count, half).view_as(grey)


def _by_rank(flat: Tensor, count: Tensor, half: Tensor) -> Tensor:
    """(M, P): a falling ramp over the ranks [count - half, count + half), 1 before it and 0 after it."""
    rank = torch.arange(flat.shape[1], device=flat.device)
    done = (rank - (count - half)[:, None]) / (2 * half - 1).clamp_min(1)[:, None]
    hard = (rank < count[:, None]).float()
    ramp = torch.where(half[:, None] > 0, (1 - done).clamp(0, 1).float(), hard)
    order = flat.argsort(dim=1, descending=True, stable=True)
    return torch.zeros_like(flat).scatter_(1, order, ramp)


def _brightest(flat: Tensor, count: Tensor) -> Tensor:
    """`_by_rank` without a ramp, on the CPU, where NumPy sorts values many times as fast as PyTorch ranks them."""
    ordered = torch.from_numpy(np.sort(flat.numpy(), axis=1))
    least = ordered.gather(1, (flat.shape[1] - count).clamp_max(flat.shape[1] - 1)[:, None])
    mask = flat.ge(least.masked_fill_(count[:, None] == 0, torch.inf)).float()
    tied = mask.sum(1) != count
    if bool(tied.any()):
        mask[tied] = _by_rank(flat[tied], count[tied], torch.zeros_like(count[tied]))
    return mask
