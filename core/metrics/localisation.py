"""Whether a heatmap lies on the object: against the exact mask."""

from __future__ import annotations

import torch
from torch import Tensor

from core.data.imageset import ImageSet


def pointing_game(maps: Tensor, masks: Tensor) -> Tensor:
    """Whether the highest pixel of each map lies on the object, (N,) float64 of 0 and 1; NaN where a map is constant.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016 (arXiv 1608.00507), without tolerance,
    since the masks are exact. Of equal pixels the first counts. Chance is the object's share of the picture.
    """
    _require_masks("The pointing game", maps, masks)
    flat = maps.flatten(1)
    hit = masks.to(maps.device).flatten(1).gather(1, flat.argmax(1, keepdim=True))[:, 0].double()
    return hit.where(flat.amax(1) > flat.amin(1), torch.nan)


def iou(maps: Tensor, masks: Tensor, threshold: float = 0.5) -> Tensor:
    """Intersection over union of the object and the pixels of at least `threshold` times the maximum, (N,) float64.

    NaN where a map has nothing positive, since every pixel would then be kept.
    """
    _require_masks("The IoU", maps, masks)
    largest = maps.amax((1, 2), keepdim=True)
    kept, object_ = maps >= threshold * largest, masks.to(maps.device)
    both, any_ = (kept & object_).sum((1, 2)).double(), (kept | object_).sum((1, 2))
    return (both / any_).where(largest[:, 0, 0] > 0, torch.nan)


def energy_pointing_game(maps: Tensor, masks: Tensor) -> Tensor:
    """The share of each map's positive mass that lies on the object (N,), float64 in [0, 1].

    Wang et al., "Score-CAM", CVPR workshops 2020 (arXiv 1910.01279): sum(e mask) / sum(e), e = max(map, 0). NaN where a
    map has nothing positive. A map that is the same everywhere scores the object's share of the picture, which is
    chance; a positive factor changes nothing.

    maps : (N, H, W), raw and signed, at the size of the picture
    masks : bool (N, H, W), object = True
    """
    _require_masks("The energy pointing game", maps, masks)
    positive = maps.double().clamp_min(0)
    mass = positive.sum((1, 2))
    inside = (positive * masks.to(maps.device)).sum((1, 2))
    return (inside / mass).where(mass > 0, torch.nan)


def _require_masks(what: str, maps: Tensor, masks: Tensor) -> None:
    if maps.shape != masks.shape or masks.dtype != torch.bool:
        raise ValueError(
            f"{what} needs a bool mask for each map, of its size {tuple(maps.shape)}, not "
            f"{masks.dtype} {tuple(masks.shape)}."
        )


def masks_of(data: ImageSet) -> Tensor:
    """The masks (N, H, W) of a set; ValueError where it has none."""
    if data.masks is None:
        raise ValueError(f"{data.origin or 'These data'} have no masks of their objects; choose Scenes, which do.")
    return data.masks
