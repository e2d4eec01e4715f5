"""Channels of a network: which layers have them, what leaves them, and the network without some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.networks.model_state import working_copy

SHORTCUTS = ("shortcut", "downsample")
"""Names of the layers on a residual shortcut, which are left alone."""


def neuron_layers(model: nn.Module) -> list[str]:
    """Names of the layers whose output channels count as neurons, in registration order.

    All convolutions except those on shortcuts. A net with fewer than two of them (a transformer)
    has its linear layers counted too, except the last, the classifier. Raises ValueError when
    there is nothing to count.
    """
    convolutions = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and not any(word in name for word in SHORTCUTS)
    ]
    if len(convolutions) > 1:
        return convolutions
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    layers = convolutions + linear[:-1]
    if not layers:
        raise ValueError("This model has no convolution and no hidden linear layer, so it has no neurons to rank.")
    return layers


@contextmanager
def leaving(model: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """A dictionary that holds, after each forward pass of `model`, what left each of `layers`: (N, channels, -1)."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Tensor) -> None:
            channels = output if isinstance(module, nn.Conv2d) else output.movedim(-1, 1)
            seen[name] = channels.flatten(2) if channels.ndim > 2 else channels[..., None]

        return hook

    hooks = [model.get_submodule(name).register_forward_hook(keep(name)) for name in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def without(model: nn.Module, channels: Sequence[tuple[str, int]]) -> nn.Module:
    """A copy of `model`, in eval mode, in which the weights and biases of these output channels are zero.

    Raises ValueError for a layer or channel that the model does not have.
    """
    copy = working_copy(model).requires_grad_(False)
    layers = dict(copy.named_modules())
    with torch.no_grad():
        for name, channel in channels:
            layer = layers.get(name)
            weight = getattr(layer, "weight", None)
            if not isinstance(weight, Tensor) or weight.ndim < 2 or not 0 <= channel < len(weight):
                raise ValueError(f"This model has no channel {channel} in a layer {name!r}.")
            weight[channel] = 0
            bias = getattr(layer, "bias", None)
            if isinstance(bias, Tensor):
                bias[channel] = 0
    return copy


def weight_of(model: nn.Module, name: str) -> nn.Parameter:
    """The weight (out, in, ...) of the layer `name`."""
    return model.get_parameter(f"{name}.weight")
