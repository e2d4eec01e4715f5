"""What stands in the place of pixels that are taken away."""

from __future__ import annotations

from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

FILLS = ("black", "mean", "blur")


def filled(images: Tensor, how: str) -> Tensor:
    """Pictures (N, C, H, W) without what they show: black, each channel's mean, or blurred.

    The blur is a Gaussian of side H/4 (odd, at least 3) and sigma half of that, with mirrored borders (our choice).
    """
    if how == "black":
        return images.new_zeros(images.shape)
    if how == "mean":
        return images.mean((2, 3), keepdim=True).expand_as(images)
    if how == "blur":
        side = max(3, images.shape[2] // 4 | 1)
        return gaussian_blur(images, [side, side], [side / 2, side / 2])
    raise ValueError(f"fill = {how!r} is not one of {', '.join(FILLS)}.")
