"""Checks before every repair: finite weights, matching classes, enough images."""

from __future__ import annotations

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.device import device_of
from core.networks.predictions import predict


def check(method: str, model: nn.Module, clean: ImageSet) -> None:
    """Raise ValueError, in one sentence, when `method` cannot repair `model` with `clean`.

    Refused are weights that are not finite, a model whose number of classes is not that of the
    data, and fewer than two images per class: a fifth is set aside for validation, and the rest
    has to make batches.
    """
    check_weights(method, model)
    classes = len(clean.class_names)
    if len(clean) < 2 * classes:
        raise ValueError(
            f"{method} got {len(clean)} clean images for {classes} classes; give it at least {2 * classes}, "
            "two per class."
        )
    check_classes(method, model, clean)


def check_weights(method: str, model: nn.Module) -> None:
    """Raise ValueError where a weight is not finite."""
    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{method} cannot start: {name} holds values that are not finite; load the model again.")


def check_classes(method: str, model: nn.Module, data: ImageSet) -> None:
    """Raise ValueError unless the model has as many outputs as the data have classes."""
    classes = len(data.class_names)
    outputs = predict(model, data.images[:1].to(device_of(model))).shape[1]
    if outputs != classes:
        raise ValueError(
            f"{method} got a model with {outputs} outputs and images of {classes} classes; choose data of the "
            "classes that the model knows."
        )
