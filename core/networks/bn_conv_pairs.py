"""Which convolution a batch norm belongs to, seen in the data rather than guessed from names."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.networks.layout import as_input
from core.networks.model_state import frozen


def bn_conv_pairs(model: nn.Module, images: Tensor) -> dict[str, str]:
    """Name of a batch norm -> name of the convolution whose output, untouched, is its input.

    One forward pass on `images` (uint8 or float in [0, 1], one will do) tells: what enters the
    norm must be the very tensor that left the convolution, not changed in place since. So in a
    post-activation net every norm has its convolution; in a pre-activation net that holds within a
    block (conv1 with bn2), while a norm after a residual sum has none. A norm that is called
    several times is paired if every call comes from the same convolution.
    """
    made: list[tuple[str, Tensor, int]] = []
    sources: dict[str, set[str | None]] = {}
    hooks = []
    pixels = as_input(model, images)

    def left(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            made.append((name, output, output._version))  # an in-place sum raises the version

        return hook

    def entered(name: str) -> Any:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given = inputs[0]
            known = (conv for conv, output, version in made if output is given and version == given._version)
            sources.setdefault(name, set()).add(next(known, None))

        return hook

    try:
        for name, module in model.named_modules():
            if isinstance(module, nn.Conv2d):
                hooks.append(module.register_forward_hook(left(name)))
            elif isinstance(module, nn.BatchNorm2d):
                hooks.append(module.register_forward_pre_hook(entered(name)))
        with frozen(model), torch.no_grad():
            model(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: conv for name, seen in sources.items() if len(seen) == 1 for conv in seen if conv is not None}


def channel_names(model: nn.Module, images: Tensor, norms: list[str]) -> dict[str, str]:
    """The name under which a report speaks of each norm's channels: name of the norm -> that name.

    It is the name of the convolution whose output channels they are, so that channel scores of
    different methods stand on one axis. A norm without a convolution of its own (after a residual
    sum), or whose convolution another norm has already spoken for, keeps its own name.
    """
    found = bn_conv_pairs(model, images)
    names: dict[str, str] = {}
    for norm in norms:
        conv = found.get(norm)
        names[norm] = norm if conv is None or conv in names.values() else conv
    return names
