"""Whether a heatmap lies on the object: against the exact mask."""

from __future__ import annotations

import torch
from torch import Tensor

from core.data.imageset import ImageSet


def energy_pointing_game(maps: Tensor, masks: Tensor) -> Tensor:
    """The share of each map's positive mass that lies on the object (N,), float64 in [0, 1].

    Wang et al., "Score-CAM", CVPR workshops 2020 (arXiv 1910.01279): sum(e mask) / sum(e), e = max(map, 0). NaN where a
    map has nothing positive. A map that is the same everywhere scores the object's share of the picture, which is
    chance; a positive factor changes nothing.

    maps : (N, H, W), raw and signed, at the size of the picture
    masks : bool (N, H, W), object = True
    """
    if maps.shape != masks.shape or masks.dtype != torch.bool:
        raise ValueError(
            f"The energy pointing game needs a bool mask for each map, of its size {tuple(maps.shape)}, not "
            f"{masks.dtype} {tuple(masks.shape)}."
        )
    positive = maps.double().clamp_min(0)
    mass = positive.sum((1, 2))
    inside = (positive * masks.to(maps.device)).sum((1, 2))
    return (inside / mass).where(mass > 0, torch.nan)


def masks_of(data: ImageSet) -> Tensor:
    """The masks (N, H, W) of a set; ValueError where it has none."""
    if data.masks is None:
        raise ValueError(f"{data.origin or 'These data'} have no masks of their objects; choose Scenes, which do.")
    return data.masks
