"""What every explainer checks of what it is given."""

from __future__ import annotations

from torch import Tensor, nn

from core.networks.checks import class_indices, classes_of, ready


def asked(model: nn.Module, images: Tensor, targets: int | Tensor) -> tuple[Tensor, Tensor]:
    """Images (N, C, H, W) in the plain layout, ready for the model, and the class to explain of each, (N,).

    Raises ValueError in one sentence where the images are none, or a class is not one of the model's.
    """
    images = ready(model, images).contiguous()
    return images, class_indices(targets, "targets", len(images), classes_of(model, images), images.device)
