"""How a picture reaches the model: as floats, rounded to 8 bits, or as a JPEG file.

A motion of less than a pixel changes little, and part of that little is lost when the picture is stored.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from torch import Tensor

from core.data.corruptions import bytes_of, jpeg_files
from core.data.imageset import ImageSet
from core.data.modes import Trigger

FLOAT, EIGHT_BITS = "float", "8 bits"
Way = str | int
"""FLOAT, EIGHT_BITS, or the quality of a JPEG, 1 to 100."""


def stored(images: Tensor, way: Way) -> Tensor:
    """Square images (N, 3, H, H) in [0, 1] as they come back; float32 again, on the same device.

    JPEG is Pillow's with its defaults: 8 bits first, and colours at half the size (4:2:0).
    """
    return images if way == FLOAT else _bytes(images, way).to(images.device).float().div_(255)


def stored_set(data: ImageSet, way: Way) -> ImageSet:
    """The same set with its pictures as they come back; they have 8 bits already, so only JPEG changes them."""
    return data if isinstance(way, str) else dataclasses.replace(data, images=_bytes(data.pixels, way))


@dataclass(frozen=True)
class Stored:
    """A trigger whose pictures are stored before the model sees them."""

    trigger: Trigger
    way: Way

    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        return stored(self.trigger(images, targets), self.way)


def _bytes(images: Tensor, way: Way) -> Tensor:
    """uint8 (N, 3, H, H), on the CPU."""
    rounded = bytes_of(images).cpu()
    if way == EIGHT_BITS:
        return rounded
    if not isinstance(way, int):
        raise ValueError(f"way = {way!r} is not {FLOAT!r}, {EIGHT_BITS!r} or the quality of a JPEG.")
    return jpeg_files(rounded, way)
