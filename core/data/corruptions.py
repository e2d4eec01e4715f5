"""Corruptions of a data set's pictures: what cameras, transmission and the world do to them, in five severities.

Noise, blur, contrast, brightness, pixelation and JPEG with the severities of CIFAR-10-C (Hendrycks and Dietterich,
ICLR 2019, arXiv 1903.12261); occlusion is the lab's. Pictures come back in 8 bits, as those of CIFAR-10-C do.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from core.data.decode import decode_pictures
from core.data.imageset import ImageSet


def noise(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Gaussian noise of standard deviation 0.04 to 0.10."""
    deviation = (0.04, 0.06, 0.08, 0.09, 0.10)[severity - 1]
    return x + deviation * torch.randn(x.shape, generator=generator)


def blur(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A Gaussian blur of 0.4 to 1 pixels, cut off at 4 of them; what lies outside is like the border."""
    sigma = (0.4, 0.6, 0.7, 0.8, 1.0)[severity - 1]
    reach = int(4 * sigma + 0.5)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    bell = (bell / bell.sum()).expand(x.shape[1], 1, 1, -1)
    padded = F.pad(x, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, bell, groups=x.shape[1]), bell.mT, groups=x.shape[1])


def contrast(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """The distance of every pixel from the mean of its channel, times 0.75 to 0.15."""
    mean = x.mean((2, 3), keepdim=True)
    return torch.lerp(mean, x, (0.75, 0.5, 0.4, 0.3, 0.15)[severity - 1])


def brightness(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """0.05 to 0.3 more of the value of HSV; hue and saturation stay."""
    value = x.amax(1, keepdim=True)
    brighter = (value + (0.05, 0.1, 0.15, 0.2, 0.3)[severity - 1]).clamp_max(1)
    return torch.where(value > 0, x * (brighter / value.clamp_min(1e-6)), brighter)


def pixelate(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Averaged down to 0.95 to 0.65 of its width, and back with pixels repeated."""
    share, size = (0.95, 0.9, 0.85, 0.75, 0.65)[severity - 1], x.shape[2:]
    coarse = F.interpolate(x, [max(1, int(length * share)) for length in size], mode="area")
    return F.interpolate(coarse, size, mode="nearest-exact")


def jpeg(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A JPEG file of quality 80 to 40."""
    return jpeg_files(bytes_of(x), (80, 65, 58, 50, 40)[severity - 1]).float().div_(255)


def occlusion(x: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A grey square, anywhere within the picture, that covers a twentieth to two fifths of it."""
    count, _, height, width = x.shape
    side = (0.05, 0.1, 0.2, 0.3, 0.4)[severity - 1] ** 0.5
    inside = torch.ones(count, 1, height, width, dtype=torch.bool)
    for axis, length in ((2, height), (3, width)):
        covered = max(1, round(side * length))
        first = torch.randint(length - covered + 1, (count, 1, 1, 1), generator=generator)
        place = torch.arange(length).view([-1 if each == axis else 1 for each in range(4)])
        inside &= (place >= first) & (place < first + covered)
    return x.masked_fill(inside, 0.5)


CORRUPTIONS: dict[str, Callable[[Tensor, int, torch.Generator], Tensor]] = {
    "noise": noise, "blur": blur, "contrast": contrast, "brightness": brightness, "pixelate": pixelate, "jpeg": jpeg,
    "occlusion": occlusion,
}  # fmt: skip
"""Functions of pictures (N, C, H, W) in [0, 1], a severity and a generator; what they give need not stay in [0, 1]."""
SEVERITIES = range(1, 6)


def corrupted(data: ImageSet, name: str, severity: int = 3, *, seed: int = 0) -> ImageSet:
    """The same set with its pictures corrupted, in 8 bits, on its device.

    name : one of CORRUPTIONS
    severity : 1 to 5
    seed : draws noise and places, on the CPU
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"There is no corruption {name!r}; there are {', '.join(CORRUPTIONS)}.")
    if severity not in SEVERITIES:
        raise ValueError(f"severity = {severity!r} is not 1, 2, 3, 4 or 5.")
    made = CORRUPTIONS[name](data.pixels.cpu(), severity, torch.Generator().manual_seed(seed))
    return dataclasses.replace(data, images=bytes_of(made).to(data.images.device))


def bytes_of(images: Tensor) -> Tensor:
    """Pictures in [0, 1], or cut off to that, as uint8."""
    return (images * 255).round().clamp(0, 255).to(torch.uint8)


def jpeg_files(images: Tensor, quality: int) -> Tensor:
    """uint8 (N, 3, H, H) on the CPU, written as JPEG by Pillow with its defaults (colours at half the size, 4:2:0), and
    read again."""
    return decode_pictures([_jpeg_file(image, quality) for image in images]) if len(images) else images


def _jpeg_file(image: Tensor, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    return file.getvalue()
