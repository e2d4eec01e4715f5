"""Explainers that take many passes: a run, which a call drives to its end; and any explainer as a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.knobs import Method
from core.networks.model_state import frozen
from core.runs import Progress, Run, finish


@dataclass(frozen=True)
class SlowExplainer(Method):
    """A map that takes many passes. What differs is `run`."""

    def run(self, model: nn.Module, images: Tensor, targets: int | Tensor, *, seed: int = 0) -> Run[Tensor]:
        """Raw maps (N, H, W) of images (N, C, H, W) in [0, 1], for one class or one per image."""
        raise NotImplementedError

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """The raw maps (N, H, W) that `run` gives with seed 0."""
        return finish(self.run(model, images, targets))


@dataclass(frozen=True)
class OneByOne(SlowExplainer):
    """Pictures are explained one after another; what differs is `one`."""

    def one(self, model: nn.Module, image: Tensor, target: int, seed: int) -> Tensor:
        """The map (H, W) of one picture (1, C, H, W); the model is in eval mode and frozen, gradients are on."""
        raise NotImplementedError

    def run(self, model: nn.Module, images: Tensor, targets: int | Tensor, *, seed: int = 0) -> Run[Tensor]:
        images, classes = asked(model, images, targets)
        maps = []
        for i, target in enumerate(classes.tolist()):
            with frozen(model), torch.enable_grad():
                maps.append(self.one(model, images[i : i + 1], target, seed).detach())
            yield Progress("explain", i + 1, len(images))
        return torch.stack(maps)


def explained(explainer: Any, model: nn.Module, images: Tensor, targets: int | Tensor, seed: int = 0) -> Run[Tensor]:
    """Raw maps (N, H, W) of any explainer: step by step where it takes many passes, else in one step."""
    if hasattr(explainer, "run"):
        return (yield from explainer.run(model, images, targets, seed=seed))
    maps = explainer(model, images, targets)
    yield Progress("explain", 1, 1)
    return maps
