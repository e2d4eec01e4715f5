"""What attacks and explainers check first: images, class indices, and what the model answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import device_of, dtype_of
from core.networks.predictions import predict


def ready(model: nn.Module, images: Tensor) -> Tensor:
    """`images` (N, C, H, W) in [0, 1], checked, detached, on the model's device and in its dtype.

    Raises ValueError where they are not float, not four-dimensional, none at all, or leave [0, 1].
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(
            f"Images must be float (N, C, H, W) in [0, 1], not {images.dtype} {tuple(images.shape)}; "
            "an ImageSet's `.pixels` are."
        )
    if not len(images):
        raise ValueError("There are no images; give at least one.")
    if not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError(
            "Images must lie in [0, 1] and hold no NaN; divide bytes by 255, and leave normalisation to the model."
        )
    return images.detach().to(device_of(model), dtype_of(model))


def classes_of(model: nn.Module, images: Tensor) -> int:
    """Number of classes K of the model, found by asking it about the first of the images."""
    return require_logits(predict(model, images[:1])).shape[1]


def class_indices(values: int | Tensor, name: str, n: int, classes: int, device: torch.device) -> Tensor:
    """A class, or one per image, as int64 (n,); ValueError where one lies outside 0..classes-1."""
    return require_classes(one_per_image(values, name, n, device), name, classes)


def one_per_image(values: int | Tensor, name: str, n: int, device: torch.device) -> Tensor:
    """A whole number, or one per image, as int64 (n,)."""
    indices = torch.as_tensor(values, device=device)
    if indices.is_floating_point() or indices.dtype == torch.bool or indices.shape not in ((), (n,)):
        raise ValueError(f"{name} must be one class index per image ({n}), not {indices.dtype} {tuple(indices.shape)}.")
    return indices.long().expand(n)


def require_classes(indices: Tensor, name: str, classes: int) -> Tensor:
    """The class indices, or ValueError where one lies outside 0..classes-1."""
    if bool(((indices < 0) | (indices >= classes)).any()):
        raise ValueError(
            f"{name} must be class indices in 0..{classes - 1}, since the model knows {classes} classes; "
            f"found {int(indices.min())}..{int(indices.max())}."
        )
    return indices


def require_logits(logits: Tensor) -> Tensor:
    """What a model answered, or ValueError where it is not (N, K) and finite."""
    if logits.ndim != 2:
        raise ValueError(f"The model must answer with logits (N, K), but its output is {tuple(logits.shape)}.")
    return require_finite(logits)


def require_finite(logits: Tensor) -> Tensor:
    """The logits, or ValueError where one of them is NaN or infinite."""
    if not bool(logits.isfinite().all()):
        raise ValueError(
            "The model's logits are not finite (NaN or infinite): its weights or its normalisation are broken."
        )
    return logits
