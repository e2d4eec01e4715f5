"""What a detector of outliers leaves: scores, and the threshold that its rule has from the training pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.device import device_of, in_batches
from core.networks.model_state import frozen

QUANTILE = 0.9
"""A rule rejects what scores above this quantile of the training pictures, as Beggel et al. set it."""
FEWEST = 10
"""Training pictures below which no detector is fitted."""


class OutlierModel(nn.Module):
    """How strange pictures are, learned from those of one training set.

    shape : (C, H, W) of the pictures that it takes
    threshold : of `raw`, the 90th percentile over the training pictures; inf before `calibrate`
    """

    threshold: Tensor

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.shape = tuple(shape)
        self.register_buffer("threshold", torch.tensor(torch.inf))

    def strangeness(self, pixels: Tensor) -> Tensor:
        """The method's own score (B,) of pixels (B, C, H, W) in [0, 1], higher = stranger."""
        raise NotImplementedError

    def raw(self, images: Tensor) -> Tensor:
        """The method's own score (N,) of images (N, C, H, W), uint8 or float in [0, 1], in eval mode."""
        return self.measured(self.strangeness, images)

    def score(self, images: Tensor) -> Tensor:
        """As `raw`, on a scale on which the rule rejects what lies above 1: raw / threshold where that is positive.

        Raises ValueError for pictures of another shape.
        """
        return relative(self.raw(images), self.threshold)

    def calibrate(self, images: Tensor) -> None:
        """Set the threshold from all training pictures: nothing says which of them are outliers."""
        self.threshold.copy_(self.raw(images).quantile(QUANTILE))

    def measured(self, function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """`function` of pixels in [0, 1], over all images, in eval mode without gradients."""
        if tuple(images.shape[1:]) != self.shape:
            raise ValueError(
                f"This detector was trained on pictures of {_size(self.shape)}, and these have "
                f"{_size(images.shape[1:])}; resize them, or train it anew."
            )

        @torch.no_grad()
        def forward(part: Tensor) -> Tensor:
            part = part.to(device_of(self))
            return function(part.float() / 255 if part.dtype == torch.uint8 else part.float()).float()

        with frozen(self):
            return in_batches(forward, images)


def relative(raw: Tensor, threshold: Tensor) -> Tensor:
    """1 + (raw - T) / |T|: raw / T for T > 0; above 1 exactly where raw is above T, whatever its sign."""
    return 1 + (raw - threshold) / threshold.abs().clamp_min(1e-12)


def check_pictures(method: str, train: ImageSet) -> None:
    """Raise ValueError, in one sentence, for too few training pictures, or such as are all alike."""
    if len(train) < FEWEST:
        raise ValueError(f"{method} got {len(train)} training pictures; give it at least {FEWEST}.")
    if bool((train.images == train.images[:1]).all()):
        raise ValueError(f"All {len(train)} training pictures are alike, so {method} has nothing to learn from them.")


def _size(shape: tuple[int, ...] | torch.Size) -> str:
    return " x ".join(map(str, shape[1:])) + f" pixels and {shape[0]} channel{'s' * (shape[0] != 1)}"
