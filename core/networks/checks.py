"""What attacks and explainers check at the door: images, class indices, and what the model answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import device_of
from core.networks.predictions import predict


def dtype_of(model: nn.Module) -> torch.dtype:
    """The dtype of the model's first floating parameter or buffer (float32 if it has none)."""
    floating = (tensor.dtype for tensor in [*model.parameters(), *model.buffers()] if tensor.is_floating_point())
    return next(floating, torch.float32)


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
    logits = predict(model, images[:1])
    if logits.ndim != 2:
        raise ValueError(f"The model must answer with logits (N, K), but its output is {tuple(logits.shape)}.")
    return require_finite(logits).shape[1]


def class_indices(values: int | Tensor, name: str, n: int, classes: int, device: torch.device) -> Tensor:
    """A class, or one per image, as int64 (n,); ValueError where one lies outside 0..classes-1."""
    indices = torch.as_tensor(values, device=device)
    if indices.is_floating_point() or indices.dtype == torch.bool or indices.shape not in ((), (n,)):
        raise ValueError(f"{name} must be one class index per image ({n}), not {indices.dtype} {tuple(indices.shape)}.")
    if bool(((indices < 0) | (indices >= classes)).any()):
        raise ValueError(
            f"{name} must be class indices in 0..{classes - 1}, since the model knows {classes} classes; "
            f"found {int(indices.min())}..{int(indices.max())}."
        )
    return indices.long().expand(n)


def require_finite(logits: Tensor) -> Tensor:
    """The logits, or ValueError where one of them is NaN or infinite."""
    if not bool(logits.isfinite().all()):
        raise ValueError(
            "The model's logits are not finite (NaN or infinite): its weights or its normalisation are broken."
        )
    return logits
