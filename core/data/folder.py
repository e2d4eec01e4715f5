"""A folder of pictures as a data set without labels."""

from __future__ import annotations

from pathlib import Path

import torch

from core.data.imageset import ImageSet
from core.data.upload import decode, fit

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
MOST = 1_000
"""Pictures that are read of one folder."""


def folder(path: str | Path, size: int) -> ImageSet:
    """The PNG, JPEG and WebP pictures that lie in a folder, in the order of their names, their middle `size` wide.

    Raises ValueError in one sentence: no such folder, no picture in it, a file that is none.
    """
    place = Path(path).expanduser()
    if not place.is_dir():
        raise ValueError(f"There is no folder {str(path)!r}; give one that holds pictures.")
    files = sorted(file for file in place.iterdir() if file.suffix.lower() in ENDINGS)[:MOST]
    if not files:
        raise ValueError(f"The folder {str(path)!r} holds no PNG, JPEG or WebP picture.")
    images = []
    for file in files:
        try:
            images.append(fit(decode(file.read_bytes()), size))
        except ValueError as error:
            raise ValueError(f"{file.name}: {error}") from error
    return ImageSet(torch.stack(images), torch.zeros(len(images), dtype=torch.int64), (place.name,), origin=str(place))
