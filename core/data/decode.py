"""Encoded pictures to one uint8 tensor, many at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_PIXELS = 50_000_000
CROP = 0.875  # the share of the short side an ImageNet evaluation keeps (timm's crop_pct)
MIXED_SIZE = 224


def decode_pictures(pictures: Sequence[bytes], size: int | None = None) -> Tensor:
    """RGB images uint8 (N, 3, H, W) of encoded pictures.

    Pictures that all are square and of one size keep it, or are resized to `size`. Others get the
    ImageNet evaluation crop: the centred square of 0.875 of the short side, resized to `size`
    (224 by default), bilinear with antialiasing.

    Raises ValueError naming the first picture that cannot be read.
    """
    shapes = {_open(pictures[i], i).size for i in range(min(64, len(pictures)))}
    alike = len(shapes) == 1 and len(set(*shapes)) == 1
    width = size or (shapes.pop()[0] if alike else MIXED_SIZE)
    bleed = 0.0 if alike else (1 - CROP) / 2
    out = np.empty((len(pictures), width, width, 3), dtype=np.uint8)

    def put(i: int) -> None:
        picture = _open(pictures[i], i)
        try:
            rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
            if rgb.size != (width, width):
                rgb = ImageOps.fit(rgb, (width, width), Image.Resampling.BILINEAR, bleed=bleed)
            out[i] = np.asarray(rgb)
        except (OSError, SyntaxError) as error:
            raise ValueError(f"Picture {i} of the data set is broken ({error}).") from error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(put, range(len(pictures)), chunksize=256):
            pass
    return torch.from_numpy(out).permute(0, 3, 1, 2).contiguous()


def _open(data: bytes, i: int) -> Image.Image:
    """The picture with its header read; nothing is decoded before its size is known to be sane."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"Picture {i} of the data set cannot be read as {', '.join(FORMATS)}.") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"Picture {i} of the data set has {picture.width} x {picture.height} pixels, too many.")
    return picture
