"""Where in a network a heat map is taken: the last map before the head, or a layer by its name.

A map is an activation (N, C, h, w), or the tokens of a transformer laid out on their grid. The best place is
`forward_features` where a net offers it (all timm nets do, and ours): its result is the map that the head pools, after
the last batch norm and ReLU even where those are no module of their own, as in a PreAct-ResNet. In a transformer that
answers from a class token it is the last layer whose patches still move the answer. Elsewhere it is the output of the
last module that gives a map with more than one position.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.feature_maps import PASSING, outputs
from core.networks.findings import PerModel
from core.networks.model_state import frozen

HANDING_ON = (*PASSING, "Identity", "DropPath")
"""Layers that hand on the map before them."""


@dataclass(frozen=True)
class Place:
    """A module whose `forward`, or whose `forward_features`, gives the map."""

    name: str
    module: nn.Module
    features: bool = False

    @contextmanager
    def intercepted(self, change: Callable[[object], Tensor]) -> Iterator[None]:
        """Let what the layer gives go through `change` in each call made inside; nothing stays attached."""
        if self.features:
            original: Callable[..., Tensor] = self.module.forward_features  # type: ignore[assignment]

            def spied(*args, **kwargs) -> Tensor:
                return change(original(*args, **kwargs))

            self.module.forward_features = spied  # type: ignore[assignment]
            try:
                yield
            finally:
                del self.module.forward_features
            return
        hook = self.module.register_forward_hook(lambda module, args, value: change(value))
        try:
            yield
        finally:
            hook.remove()

    @contextmanager
    def recorded(self) -> Iterator[list[Tensor]]:
        """Collect what the layer gives in each call made inside, as the leaf at which a graph begins.

        What follows in the net receives a copy, so that an in-place ReLU cannot change the record.
        """
        leaves: list[Tensor] = []

        def keep(value: object) -> Tensor:
            if not isinstance(value, Tensor) or spatial(value) is None:
                what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise ValueError(
                    f"Layer {self.name!r} gives {what} instead of a map (N, C, h, w) or tokens, so no class activation "
                    "map can be taken there; choose a convolutional layer, or a block of a transformer."
                )
            leaf = value.detach().requires_grad_()
            leaves.append(leaf)
            return leaf.clone()

        with self.intercepted(keep):
            yield leaves


def spatial(value: Tensor) -> Tensor | None:
    """What a layer gives as maps (N, C, h, w), a view; None where it has no positions.

    Maps are (N, C, h, w), or (N, h, h, C) as in Swin transformers. Tokens are (N, T, C): the last ones that fill a
    square are its positions, and what stands before them (a class token, registers) is left out.
    """
    if value.ndim == 4:
        return value.movedim(-1, 1) if _channels_last(value) else value
    side = math.isqrt(value.shape[1]) if value.ndim == 3 else 0
    return value[:, -side * side :].unflatten(1, (side, side)).movedim(-1, 1) if side > 1 else None


def without_channels(value: Tensor, channels: Tensor) -> Tensor:
    """What a layer gives for one picture, (1, ...), once for each of `channels` (B,), which is zero there."""
    axis = 1 if value.ndim == 4 and not _channels_last(value) else value.ndim - 1
    gone = F.one_hot(channels, value.shape[axis]).bool()
    return value.masked_fill(gone.view([-1] + [1] * (axis - 1) + [gone.shape[1]] + [1] * (value.ndim - 1 - axis)), 0)


def _channels_last(value: Tensor) -> bool:
    return value.shape[1] == value.shape[2] != value.shape[3]


def place(model: nn.Module, images: Tensor, layer: str = "") -> Place:
    """The layer named `layer`, or the last convolutional map where it is empty.

    Names are those of `model.named_modules()`; a Classifier's "net." may be left out. The last map is looked for
    once per model and image size.
    """
    if layer:
        modules = dict(model.named_modules())
        for name in (layer, f"net.{layer}"):
            if name in modules:
                return Place(name, modules[name])
        raise ValueError(f"The model has no layer {layer!r}; it has {_some(list(maps_of(model, images)))}.")
    for name, module in model.named_modules():
        if callable(getattr(module, "forward_features", None)):
            if getattr(module, "num_prefix_tokens", 0):
                break
            return Place(f"{name}.forward_features".lstrip("."), module, features=True)
    else:
        name = _last_map(model, images)
        return Place(name, model.get_submodule(name))
    name = _last_tokens(model, images)
    return Place(name, model.get_submodule(name))


def maps_of(model: nn.Module, images: Tensor) -> dict[str, tuple[int, int, int]]:
    """Layers that give a map with more than one position, in the order they finish: name -> (C, h, w).

    Layers that hand on the map before them, coarser or as it is, are left out.
    """
    found = outputs(model, images[:1].contiguous(), _size)
    kinds = {name: type(model.get_submodule(name)).__name__ for name in found}
    return {name: size for name, size in found.items() if not any(word in kinds[name] for word in HANDING_ON)}


def _size(output: object) -> tuple[int, int, int] | None:
    found = spatial(output) if isinstance(output, Tensor) else None
    if found is None or len(found) > 1 or found.shape[2] * found.shape[3] <= 1:  # windows are more than one
        return None
    return found.shape[1], found.shape[2], found.shape[3]


def _found(model: nn.Module, images: Tensor) -> str:
    named = list(maps_of(model, images))
    if not named:
        raise ValueError("The model has no layer with a map of more than one position, so no heat map can be taken.")
    return named[-1]


_last_map = PerModel(_found)


def _moving(model: nn.Module, images: Tensor) -> str:
    """The last tokens whose positions move the answer: behind a class token's last attention, they no longer do."""
    given: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, value: object) -> None:
            if isinstance(value, Tensor) and value.requires_grad and spatial(value) is not None:
                given[name] = value

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if name]
    try:
        with frozen(model), torch.enable_grad():
            logits = model(images[:1].detach().clone().requires_grad_())
            slopes = torch.autograd.grad(logits.square().sum(), list(given.values()), materialize_grads=True)
    finally:
        for each in hooks:
            each.remove()
    width = next(module.num_features for module in model.modules() if getattr(module, "num_prefix_tokens", 0))
    moving = [
        name for (name, value), slope in zip(given.items(), slopes, strict=True)
        if value.ndim == 3 and value.shape[2] == width and bool(spatial(slope).any())  # type: ignore[union-attr]
    ]  # fmt: skip
    if not moving:
        raise ValueError("No layer of this transformer has tokens of a square grid that move its answer.")
    return moving[-1]


_last_tokens = PerModel(_moving)


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[-most:]) + (f" and {len(names) - most} before them" if len(names) > most else "")
