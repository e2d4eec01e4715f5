"""The stages of a network: where it hands on one feature map after another, found without names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from core.networks.layout import as_input
from core.networks.model_state import frozen

T = TypeVar("T")

PASSING = ("Pool", "Dropout")
"""Layers that hand on the map before them, coarser or thinned out."""


def as_map(value: object) -> Tensor | None:
    """A layer's output as (N, C, positions), or None where it has no more than one position.

    Maps are (N, C, h, w), or (N, h, h, C) as in Swin transformers; tokens are (N, T, C).
    """
    if not isinstance(value, Tensor) or value.ndim not in (3, 4):
        return None
    last = value.ndim == 3 or value.shape[1] == value.shape[2] != value.shape[3]
    found = (value.movedim(-1, 1) if last else value).flatten(2)
    return found if found.shape[2] > 1 else None


def feature_maps(model: nn.Module, images: Tensor, count: int = 3) -> list[str]:
    """Names of the last `count` stages in the order they finish, seen on `images` (uint8, one will do).

    Stages are the parts of a net that stand side by side, as far out as there are at least `count`
    of them: parts with two layers of weights or more whose output has more than one position
    (the four layers of a ResNet, the blocks of a transformer). A net without such parts (a plain
    chain of convolutions) has its last layer of each resolution taken, at most `count` of them.
    Raises ValueError where no layer gives a map of more than one position.
    """
    sizes = outputs(model, as_input(model, images[:1]), _positions)
    parts = [name for name in sizes if _layers_of_weights(model.get_submodule(name)) > 1]
    for depth in sorted({name.count(".") for name in parts}):
        side_by_side = [name for name in parts if name.count(".") == depth]
        if len(side_by_side) >= count:
            return side_by_side[-count:]
    last = {size: name for name, size in sizes.items() if _is_plain(model.get_submodule(name))}
    if not last:
        raise ValueError("This model has no layer with a map of more than one position, so attention has no place.")
    return [name for name in sizes if name in last.values()][-count:]


def outputs(model: nn.Module, pixels: Tensor, read: Callable[[object], T | None]) -> dict[str, T]:
    """What `read` makes of each layer's output on one pass in eval mode, in the order the layers finish.

    pixels : as the model takes them; layers of which `read` makes None are left out, and so is the model itself
    """
    found: dict[str, T] = {}

    def note(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: object) -> None:
            value = read(output)
            if value is not None:
                found.pop(name, None)
                found[name] = value

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if name]
    try:
        with frozen(model), torch.no_grad():
            model(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _positions(output: object) -> int | None:
    found = as_map(output)
    return None if found is None else found.shape[2]


def _layers_of_weights(module: nn.Module) -> int:
    return sum(parameter.ndim > 1 for parameter in module.parameters())


def _is_plain(module: nn.Module) -> bool:
    inside = next(module.children(), None)
    return inside is None and not any(word in type(module).__name__ for word in PASSING)


@contextmanager
def watching(model: nn.Module, names: Sequence[str]) -> Iterator[tuple[list[Tensor], dict[str, Tensor]]]:
    """What went into `model` last, in a list of one, and the map that left each named layer, (N, C, positions)."""
    given: list[Tensor] = []
    maps: dict[str, Tensor] = {}

    def enter(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given[:] = inputs[:1]

    def leave(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: object) -> None:
            found = as_map(output)
            if found is not None:
                maps[name] = found

        return hook

    hooks = [model.register_forward_pre_hook(enter)]
    try:
        hooks += [model.get_submodule(name).register_forward_hook(leave(name)) for name in names]
        yield given, maps
    finally:
        for hook in hooks:
            hook.remove()
