"""The last layers of a network, in the order in which they compute."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.networks.layout import as_input
from core.networks.model_state import frozen


def last_layers(model: nn.Module, images: Tensor, share: float) -> list[str]:
    """Names of the last `share` of the layers that hold parameters themselves, at least one, last computed last.

    images : one picture or more, uint8 or float in [0, 1], for the pass that shows the order; a layer that this pass
        leaves out is left out
    """
    order: dict[str, None] = {}
    hooks = []

    def note(name: str) -> Any:
        def hook(*_: Any) -> None:
            order.pop(name, None)  # one that computes several times counts where it computes last
            order[name] = None

        return hook

    try:
        for name, module in model.named_modules():
            if any(True for _ in module.parameters(recurse=False)):
                hooks.append(module.register_forward_hook(note(name)))
        with frozen(model), torch.no_grad():
            model(as_input(model, images[:1]))
    finally:
        for hook in hooks:
            hook.remove()
    return list(order)[-max(1, round(share * len(order))) :]
