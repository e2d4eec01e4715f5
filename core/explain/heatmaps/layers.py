"""Where in a network a heat map is taken: the last convolutional map, or a layer by its name.

A map is an activation (N, C, h, w). The best place is `forward_features` where a net offers it (all
timm nets do, and ours): its result is the map that the head pools, after the last batch norm and ReLU
even where those are no module of their own, as in a PreAct-ResNet. Elsewhere it is the output of the
last module that gives a map with more than one position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn

from core.networks.feature_maps import outputs
from core.networks.findings import PerModel


@dataclass(frozen=True)
class Place:
    """A module whose `forward`, or whose `forward_features`, gives the map."""

    name: str
    module: nn.Module
    features: bool = False

    @contextmanager
    def recorded(self) -> Iterator[list[Tensor]]:
        """Collect the map of each call made inside, as the leaf at which a graph begins; nothing stays attached.

        What follows in the net receives a copy, so that an in-place ReLU cannot change the record.
        """
        maps: list[Tensor] = []

        def keep(value: Tensor) -> Tensor:
            leaf = _as_map(value, self.name).detach().requires_grad_()
            maps.append(leaf)
            return leaf.clone()

        if self.features:
            original: Callable[..., Tensor] = self.module.forward_features  # type: ignore[assignment]

            def spied(*args, **kwargs) -> Tensor:
                return keep(original(*args, **kwargs))

            self.module.forward_features = spied  # type: ignore[assignment]
            try:
                yield maps
            finally:
                del self.module.forward_features
            return
        hook = self.module.register_forward_hook(lambda module, args, value: keep(value))
        try:
            yield maps
        finally:
            hook.remove()


def _as_map(value: object, name: str) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim != 4:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"Layer {name!r} gives {what} instead of a map (N, C, h, w), so no class activation map can be taken "
            "there; choose a convolutional layer."
        )
    return value


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
            return Place(f"{name}.forward_features".lstrip("."), module, features=True)
    name = _last_map(model, images)
    return Place(name, model.get_submodule(name))


def maps_of(model: nn.Module, images: Tensor) -> dict[str, tuple[int, int, int]]:
    """Layers that give a map with more than one position, in the order they finish: name -> (C, h, w).

    Pooling layers are left out: they repeat the map before them more coarsely.
    """
    found = outputs(model, images[:1].contiguous(), _size)
    return {name: size for name, size in found.items() if "Pool" not in type(model.get_submodule(name)).__name__}


def _size(output: object) -> tuple[int, int, int] | None:
    if not isinstance(output, Tensor) or output.ndim != 4 or output.shape[2] * output.shape[3] <= 1:
        return None
    return output.shape[1], output.shape[2], output.shape[3]


def _found(model: nn.Module, images: Tensor) -> str:
    named = list(maps_of(model, images))
    if not named:
        raise ValueError("The model has no layer with a map of more than one position, so no heat map can be taken.")
    return named[-1]


_last_map = PerModel(_found)


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[-most:]) + (f" and {len(names) - most} before them" if len(names) > most else "")
