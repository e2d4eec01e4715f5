"""The last linear layer of a network and the features that go into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.device import in_batches
from core.networks.batch_size import batch_size
from core.networks.layout import as_input
from core.networks.model_state import frozen


def classifier_of(model: nn.Module, images: Tensor) -> str:
    """The name of the linear layer whose output is the model's, seen on `images` (uint8 or float in [0, 1]).

    Raises ValueError where there is none, as with a 1x1 convolution as classifier.
    """
    outputs: dict[str, Tensor] = {}
    hooks = []
    pixels = as_input(model, images)

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs[name] = output

        return hook

    try:
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear):
                hooks.append(module.register_forward_hook(keep(name)))
        with frozen(model), torch.no_grad():
            logits = model(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    for name, output in reversed(outputs.items()):
        if output.shape == logits.shape and torch.equal(output, logits):
            return name
    raise ValueError("This model does not end in a linear layer, so there are no features before it to rank.")


@contextmanager
def entering(model: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """A list that holds, after each forward pass of `model`, what went into `layer`: one tensor, with its graph."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[:] = inputs[:1]

    hook = model.get_submodule(layer).register_forward_pre_hook(keep)
    try:
        yield seen
    finally:
        hook.remove()


def penultimate(model: nn.Module, head: str, images: Tensor, size: int = 500) -> Tensor:
    """What goes into the layer `head`: (N, d) of images (N, C, H, W), uint8 or float in [0, 1], in eval mode."""
    with entering(model, head) as seen, frozen(model):

        @torch.no_grad()
        def forward(batch: Tensor) -> Tensor:
            model(as_input(model, batch))
            return seen[0].float()

        return in_batches(forward, images, size=batch_size(model, images, size))
