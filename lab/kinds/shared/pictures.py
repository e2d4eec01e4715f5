"""The batch of pictures that an attack, a trigger or an explainer is run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data import ImageSet, Scenes
from core.device import device_of
from core.networks.predictions import predict
from lab import loading, uploads
from lab.kinds.shared.setting import classes_fit, size_of
from lab.settings import settings
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

FEW = 16
"""Test images that a run takes where the recipe names none."""


@dataclass(frozen=True)
class Batch:
    """Pictures with the labels that count.

    data : the pictures, in the model's size
    labels : int64 (N,): the data's where the model knows those classes, else what the model says
    index : place in the test split; empty for an upload
    own_words : True where the labels are the model's own
    """

    data: ImageSet
    labels: Tensor
    index: list[int]
    own_words: bool


def pictures(recipe: Recipe, model: Classifier) -> Batch:
    """The recipe's "images": test images by index, an upload, or the first "n" test images."""
    return chosen(model, recipe.data, recipe.inputs.get("images"), recipe.inputs.get("n", FEW))


def chosen(model: Classifier, data: str | Scenes, images: list[int] | str | None, n: int = FEW) -> Batch:
    """Test images by index, an upload by its name, or, where `images` is None, the first n test images."""
    found, index = picked(model, data, images, n)
    own = not index or not classes_fit(model, found)
    labels = predict(model, found.images).argmax(1) if own else found.labels
    return Batch(found, labels, index, own)


def picked(
    model: Classifier, data: str | Scenes, images: list[int] | str | None, n: int = FEW
) -> tuple[ImageSet, list[int]]:
    """The same pictures as they are, and their places in the test split; nothing is computed with the model."""
    if isinstance(images, str):
        return _uploaded(images, model).to(device_of(model)), []
    index = images or list(range(n))
    found = _by_index(data, model, index, strict=images is not None)
    return found.to(device_of(model)), index[: len(found)]


def _by_index(data: str | Scenes, model: Classifier, index: list[int], strict: bool) -> ImageSet:
    test = loading.images(data, "test", limit=max(index) + 1, size=size_of(model))
    if not strict:
        return test
    if max(index) >= len(test):
        raise ValueError(f"images = {max(index)} is not a test image; these data have {len(test)}, counted from 0.")
    return test[torch.tensor(index, device=test.images.device)]


def _uploaded(ref: str, model: Classifier) -> ImageSet:
    """An upload as a set of one: its middle square, in the model's size."""
    picture = uploads.find(ref)
    side = min(picture.shape[1:])
    top, left = (picture.shape[1] - side) // 2, (picture.shape[2] - side) // 2
    square = picture[None, :, top : top + side, left : left + side].float()
    size = size_of(model)
    fitted = F.interpolate(square, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return ImageSet(
        fitted.round().clamp(0, 255).to(torch.uint8), torch.zeros(1, dtype=torch.int64), model.class_names, origin=ref
    )


def many(recipe: Recipe) -> bool:
    """Whether the batch is too large to keep all of its pictures in a result."""
    return "images" not in recipe.inputs and recipe.inputs.get("n", FEW) > settings.max_batch
