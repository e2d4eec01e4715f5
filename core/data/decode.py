"""Encoded pictures to one uint8 tensor, many at a time."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MAX_PIXELS = 50_000_000
CROP = 0.875  # the share of the short side an ImageNet evaluation keeps (timm's crop_pct)
MIXED_SIZE = 224
THREADED = 10_000  # bytes a picture; of smaller ones most work is Python's, and threads wait for each other


def decode_pictures(pictures: Sequence[bytes], size: int | None = None) -> Tensor:
    """RGB images uint8 (N, 3, H, W) of encoded pictures.

    Pictures that all are square and of one size keep it, or are resized to `size`. Others go
    through the ImageNet evaluation: the short side is resized to `size` / 0.875 (bilinear,
    antialiased) and the centre is cut out; `size` is 224 unless given.

    Raises ValueError naming the first picture that cannot be read.
    """
    shapes = {_size(data, i) for i, data in enumerate(pictures)}
    alike = len(shapes) == 1 and len(set(*shapes)) == 1
    width = size or (shapes.pop()[0] if alike else MIXED_SIZE)
    short = width if alike else int(width / CROP)
    out = np.empty((len(pictures), width, width, 3), dtype=np.uint8)

    def put(i: int) -> None:
        picture = _open(pictures[i], i)
        try:
            rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
            out[i] = np.asarray(_centre(rgb, short, width))
        except (OSError, SyntaxError) as error:
            raise ValueError(f"Picture {i} of the data set is broken ({error}).") from error

    if sum(map(len, pictures)) > THREADED * len(pictures):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            deque(pool.map(put, range(len(pictures))), maxlen=0)
    else:
        deque(map(put, range(len(pictures))), maxlen=0)
    return torch.from_numpy(out).permute(0, 3, 1, 2).contiguous()


def _centre(picture: Image.Image, short: int, width: int) -> Image.Image:
    """The short side resized to `short`, the central `width` x `width` pixels cut out."""
    scale = short / min(picture.size)
    whole = (round(picture.width * scale), round(picture.height * scale))
    if picture.size != whole:
        picture = picture.resize(whole, Image.Resampling.BILINEAR)
    left, top = (whole[0] - width) // 2, (whole[1] - width) // 2
    return picture if whole == (width, width) else picture.crop((left, top, left + width, top + width))


def _size(data: bytes, i: int) -> tuple[int, int]:
    """(width, height); of a PNG straight from its first chunk, which is ten times as fast."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return _open(data, i).size


def _open(data: bytes, i: int) -> Image.Image:
    """The picture with its header read; nothing is decoded before its size is known to be sane."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"Picture {i} of the data set cannot be read as {', '.join(FORMATS)}.") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"Picture {i} of the data set has {picture.width} x {picture.height} pixels, too many.")
    return picture
