"""The memory layout a network runs in: channels last, in which convolutions are fastest, where the network can take it.

A network that flattens its maps with `.view` cannot: the view would not be one of consecutive memory. Whether it can
is found by one trial pass per network and image size, and nothing is said about it. A network without convolutions
gains nothing and is not tried.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.device import device_of, dtype_of, out_of_memory
from core.networks.findings import PerModel
from core.networks.model_state import Net, frozen, working_copy


def layout_of(model: nn.Module, images: Tensor) -> torch.memory_format:
    """`torch.channels_last`, or `torch.contiguous_format` for a network that fails on it or has no convolution.

    images : (N, C, H, W) of any dtype and device; only their size is looked at
    """
    return _layout(model, images)


def laid_out(model: nn.Module, images: Tensor) -> Tensor:
    """`images` (N, C, H, W) in the layout of `model`."""
    return images.contiguous(memory_format=layout_of(model, images))


def as_input(model: nn.Module, batch: Tensor) -> Tensor:
    """Images (N, C, H, W), uint8 or float in [0, 1], as `model` takes them: in its device, dtype and layout."""
    pixels = batch.to(device_of(model), dtype_of(model))
    return laid_out(model, pixels.div_(255) if batch.dtype == torch.uint8 else pixels)


def set_layout(model: Net, images: Tensor) -> Net:
    """`model` itself, with its weights in the layout that it can run in on images of this size (as in `layout_of`)."""
    _layout.forget(model)
    model.to(memory_format=torch.channels_last)
    if layout_of(model, images) != torch.channels_last:
        model.to(memory_format=torch.contiguous_format)
    return model


def training_copy(model: Net, images: Tensor) -> Net:
    """`working_copy(model)` in the layout that it is fastest in; `images` as in `layout_of`."""
    return set_layout(working_copy(model), images)


def _tried(model: nn.Module, images: Tensor) -> torch.memory_format:
    """The layout, by one pass over black images in eval mode that draws from no random numbers of the caller.

    Two images, as a view over the batch fits every layout of a single one. A failure of any other cause shows again,
    in the plain layout, where the model is used.
    """
    if not any(parameter.ndim == 4 for parameter in model.parameters()):
        return torch.contiguous_format
    device = device_of(model)
    black = torch.zeros((2, *images.shape[1:]), device=device, dtype=dtype_of(model))
    cards = [device] if device.type == "cuda" else []
    try:
        with frozen(model), torch.no_grad(), torch.random.fork_rng(devices=cards):
            model(black.contiguous(memory_format=torch.channels_last))
    except Exception as error:
        if out_of_memory(error):
            raise
        return torch.contiguous_format
    return torch.channels_last


_layout = PerModel(_tried)
