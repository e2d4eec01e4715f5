"""Every data set by its name, split and size."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F

from core.data.digits import DIGITS, digits
from core.data.hub import HubSet
from core.data.imageset import ImageSet
from core.data.scenes import Scenes, generated

SPLITS = ("train", "heldout", "test", "defender")
LARGEST = 128  # pixels; larger scenes are enlarged ones, for networks that want 224


def load_data(
    data: str | Scenes, split: str = "train", *, limit: int | None = None, seed: int = 0, size: int | None = None
) -> ImageSet:
    """The images and labels of one split of a data set.

    Parameters
    ----------
    data : "scenes", "scenes-biased" or a `Scenes`; "digits", those of scikit-learn; "cifar10", "gtsrb", "mnist",
        "fashion-mnist", "tiny-imagenet"; or "hf:owner/name[@revision]" for any parquet set of the Hugging Face Hub
        with an image and a label column
    split : "train"; "heldout", the last tenth of the training rows, which "train" never holds (of
        CIFAR-10 the last 5,000); "test"; "defender", the clean 5 % of train a defense is given
    limit : at most so many images, the first ones of the split
    seed : which 5 % a "defender" gets
    size : width and height in pixels; None keeps the set's own size (224 where sizes differ)

    Returns
    -------
    ImageSet with uint8 RGB images (N, 3, H, W); `origin` names the set, the split and the commit.

    Raises
    ------
    ValueError in one sentence: unknown set or split, no network and not in the cache, ...
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; choose {', '.join(SPLITS[:-1])} or {SPLITS[-1]}.")
    if limit is not None and limit < 1:
        raise ValueError(f"limit = {limit} leaves no image; give 1 or more, or None for all.")
    if data == DIGITS:
        own = digits(split, limit, seed)
        return own if size is None else _enlarged(own, size)
    made = generated(data)
    if made is not None:
        drawn = size is None or size <= LARGEST
        scenes = made if size is None or not drawn else dataclasses.replace(made, size=size)
        found = scenes.load(split, limit=limit, seed=seed)
        return found if drawn or size is None else _enlarged(found, size)
    return HubSet.named(str(data)).load(split, limit=limit, seed=seed, size=size)


def _enlarged(data: ImageSet, size: int) -> ImageSet:
    """The same pictures and masks, `size` pixels wide."""
    images = [
        F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True).round().to(torch.uint8)
        for part in data.images.split(100)
    ]
    masks = None if data.masks is None else F.interpolate(data.masks[None].float(), (size, size))[0] > 0.5
    return dataclasses.replace(data, images=torch.cat(images), masks=masks)
