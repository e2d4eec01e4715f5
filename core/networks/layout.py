"""The memory layout a network runs in: channels last, in which convolutions are fastest, where the network can take it.

A network that flattens its maps with `.view` cannot: the view would not be one of consecutive memory. Whether it can
is found by one trial pass, remembered for as long as the network lives, and nothing is said about it.
"""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn

from core.device import device_of
from core.networks.model_state import frozen, working_copy

_known: weakref.WeakKeyDictionary[nn.Module, torch.memory_format] = weakref.WeakKeyDictionary()


def layout_of(model: nn.Module, images: Tensor) -> torch.memory_format:
    """`torch.channels_last`, or `torch.contiguous_format` for a network that fails on it; `images` (N, C, H, W) are
    float in [0, 1] and on the model's device, and the first one is tried."""
    if model not in _known:
        _known[model] = torch.channels_last if _runs(model, images[:1]) else torch.contiguous_format
    return _known[model]


def laid_out(model: nn.Module, images: Tensor) -> Tensor:
    """`images` (N, C, H, W) in the layout of `model`."""
    return images.contiguous(memory_format=layout_of(model, images))


def as_input(model: nn.Module, batch: Tensor) -> Tensor:
    """Images (N, C, H, W), uint8 or float in [0, 1], as `model` takes them: float, on its device, in its layout."""
    batch = batch.to(device_of(model))
    return laid_out(model, batch.float().div_(255) if batch.dtype == torch.uint8 else batch)


def set_layout(model: nn.Module, images: Tensor) -> nn.Module:
    """`model` with its weights, in place, in the layout that it can run in, tried on the first of `images`."""
    _known.pop(model, None)
    model.to(memory_format=torch.channels_last)
    sample = images[:1].to(device_of(model))
    sample = sample.float().div(255) if sample.dtype == torch.uint8 else sample
    if layout_of(model, sample) != torch.channels_last:
        model.to(memory_format=torch.contiguous_format)
    return model


def training_copy(model: nn.Module, images: Tensor) -> nn.Module:
    """`working_copy(model)` in the layout that it is fastest in; `images` as of `set_layout`."""
    return set_layout(working_copy(model), images)


def _runs(model: nn.Module, images: Tensor) -> bool:
    """Whether the model takes channels-last images; any failure of its own shows again in the plain layout."""
    try:
        with frozen(model), torch.no_grad():
            model(images.contiguous(memory_format=torch.channels_last))
    except RuntimeError:
        return False
    return True
