"""The handwritten digits that come with scikit-learn: 1,797 pictures of 8 x 8 pixels, no network needed."""

from __future__ import annotations

import torch

from core.data.imageset import ImageSet
from core.data.scenes import generated

DIGITS = "digits"
TRAIN, HELDOUT = 1_080, 1_200
"""Rows up to which "train" goes, and "heldout"; the rest is "test". Writers differ along the rows."""
DEFENDER = 0.05


def digits(split: str, limit: int | None = None, seed: int = 0) -> ImageSet:
    """A split of the digits as grey RGB, uint8 (N, 3, 8, 8): 1,080 for "train", 120 "heldout", 597 for "test".

    A "defender" gets 5 % of train, drawn by `seed`. They are the test part of "Optical Recognition of Handwritten
    Digits" (Alpaydin and Kaynak, 1998, UCI).
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = (torch.from_numpy(found.images) * (255 / 16)).round().to(torch.uint8)
    names = tuple(map(str, found.target_names))
    every = ImageSet(grey[:, None].repeat(1, 3, 1, 1), torch.from_numpy(found.target).long(), names)
    parts = {"train": every[:TRAIN], "heldout": every[TRAIN:HELDOUT], "test": every[HELDOUT:]}
    part = parts["train"].sample(round(DEFENDER * TRAIN), seed) if split == "defender" else parts[split]
    part = part if limit is None else part[:limit]
    return ImageSet(part.images, part.labels, names, origin=f"scikit-learn's digits, {split}")


def built_in(data: object) -> bool:
    """Whether data need no network: Scenes, which are generated, and the digits."""
    return data == DIGITS or generated(data) is not None
