"""A layer from outside: activations and gradients of many pictures, and what the model says once they are moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.networks.batch_size import batch_size
from core.networks.checks import require_finite, require_logits
from core.networks.feature_maps import as_map, feature_maps, outputs
from core.networks.layout import as_input
from core.networks.model_state import frozen
from core.runs import Progress, Run

BATCH = 100
"""Pictures in one step on a CPU: well below a second for the zoo's networks."""


@dataclass(frozen=True)
class Layer:
    """A layer of `model`, and how its answer becomes one vector per picture.

    name : as in `model.named_modules()`
    pool : the mean over positions, (N, C); otherwise every value, (N, d). Gradients and moves follow: with pooling, a
        direction (C,) stands for the same step at every position.
    """

    model: nn.Module
    name: str
    pool: bool = True

    def activations(self, images: Tensor) -> Run[Tensor]:
        """Vectors (N, d) of images (N, C, H, W), uint8 or float in [0, 1]; nothing of the model is changed.

        The first batch goes through the whole model, which shows whether the layer runs once; the others end at it.
        """
        parts = list(images.split(batch_size(self.model, images, BATCH)))
        found: list[Tensor] = []
        for step, batch in enumerate(parts, start=1):
            found.append(self._vectors(batch, whole=step == 1))
            yield Progress("activations", step, len(parts))
        return torch.cat(found)

    def slopes(self, images: Tensor, classes: Tensor) -> Run[Tensor]:
        """Gradients (N, d) of each picture's logit of its class (N,) with respect to its vector."""
        size = batch_size(self.model, images, BATCH, gradients=True)
        parts = list(zip(images.split(size), classes.split(size), strict=True))
        found: list[Tensor] = []
        for step, (batch, labels) in enumerate(parts, start=1):
            found.append(self._slopes(batch, labels))
            yield Progress("gradients", step, len(parts))
        return torch.cat(found)

    def moved(self, images: Tensor, direction: Tensor, steps: Tensor) -> Tensor:
        """Logits (S, N, K) after each of `steps` (S,) along `direction` (d,), added to the layer's activations."""
        answers, pixels = [], as_input(self.model, images)
        with frozen(self.model), torch.no_grad():
            for step in steps.tolist():
                with replaced(self.model, self.name, self._adding(step * direction)):
                    answers.append(require_logits(self.model(pixels)).float())
        return torch.stack(answers)

    @torch.no_grad()
    def _vectors(self, batch: Tensor, whole: bool) -> Tensor:
        seen: list[Tensor] = []
        pixels = as_input(self.model, batch)

        def keep(a: Tensor) -> Tensor:
            seen.append(self._vector(a).float())
            if not whole:
                raise _Enough
            return a

        with frozen(self.model), suppress(_Enough), replaced(self.model, self.name, keep):
            self.model(pixels)
        return seen[-1]

    def _slopes(self, batch: Tensor, labels: Tensor) -> Tensor:
        leaves: list[Tensor] = []
        pixels = as_input(self.model, batch)

        def begin(a: Tensor) -> Tensor:
            leaves.append(a.detach().requires_grad_())
            return leaves[-1].clone()  # so that an in-place ReLU behind the layer leaves the leaf alone

        with frozen(self.model), torch.enable_grad(), replaced(self.model, self.name, begin):
            logits = require_finite(require_logits(self.model(pixels)))
            score = logits.gather(1, labels.to(logits.device)[:, None]).sum()
            slope = torch.zeros_like(leaves[-1])
            if score.requires_grad:  # else the answer does not depend on this layer
                (slope,) = torch.autograd.grad(score, leaves[-1], materialize_grads=True)
        found = as_map(slope) if self.pool else None
        return (slope.flatten(1) if found is None else found.sum(2)).float()

    def _vector(self, a: Tensor) -> Tensor:
        found = as_map(a) if self.pool else None
        return a.flatten(1) if found is None else found.mean(2)

    def _adding(self, step: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda a: a + self._spread(step, a)

    def _spread(self, direction: Tensor, a: Tensor) -> Tensor:
        """`direction` (d,) as a step of one picture's activations, whatever the place of their channels."""
        with torch.enable_grad():
            one = a[:1].detach().requires_grad_()
            (step,) = torch.autograd.grad((self._vector(one) @ direction.to(one)).sum(), one)
        return step * (one.numel() / len(direction))


class _Enough(Exception):
    """What comes behind the layer need not be computed."""


@contextmanager
def replaced(model: nn.Module, name: str, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """One forward pass in which what layer `name` answers, (N, ...), becomes `change` of it; no hook stays.

    ValueError where it answers with no tensor, or runs more than once or never.
    """
    calls = 0

    def hook(_module: nn.Module, _inputs: object, output: object) -> Tensor:
        nonlocal calls
        calls += 1
        if not _is_vectors(output):
            what = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(f"Layer {name!r} gives {what} instead of activations (N, ...); choose another layer.")
        assert isinstance(output, Tensor)
        return change(output)

    handle = model.get_submodule(name).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
    if calls != 1:
        raise ValueError(f"Layer {name!r} runs {calls} times in one pass of the model; choose one that runs once.")


def layer_of(model: nn.Module, images: Tensor, name: str | None, pool: bool) -> Layer:
    """The layer of this name, a Classifier's "net." may be left out; None is the stage before the last."""
    if not name:
        return Layer(model, _usual(model, images), pool)
    known = dict(model.named_modules())
    for each in (name, f"net.{name}"):
        if each in known and each:
            return Layer(model, each, pool)
    names = list(layers_of(model, images))
    raise ValueError(f"The model has no layer {name!r}; it has {', '.join(names[-8:])}, among others.")


def layers_of(model: nn.Module, images: Tensor) -> dict[str, tuple[int, ...]]:
    """Layers with activations, in the order they finish: name -> shape of one picture's answer."""
    return outputs(model, as_input(model, images[:2]), _shape)


def _shape(output: object) -> tuple[int, ...] | None:
    return tuple(output.shape[1:]) if isinstance(output, Tensor) and _is_vectors(output) else None


def _is_vectors(output: object) -> bool:
    return isinstance(output, Tensor) and output.ndim >= 2 and output.is_floating_point()


def _usual(model: nn.Module, images: Tensor) -> str:
    """The stage before the last, where concepts are neither lost yet nor one with the classes."""
    try:
        stages = feature_maps(model, images)
    except ValueError:  # a network without maps
        stages = list(layers_of(model, images))[:-1]
    if not stages:
        raise ValueError("The model has no layer before its last one, so no concept can be looked for.")
    return stages[-2] if len(stages) > 1 else stages[-1]
