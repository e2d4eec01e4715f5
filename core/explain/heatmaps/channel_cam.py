"""What Score-CAM and Ablation-CAM share: the weight of each channel is measured by passes of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.cam import CAM, enlarged
from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.layers import Place, place, spatial
from core.networks.checks import require_logits
from core.networks.model_state import frozen
from core.runs import Run, finish, part


@dataclass(frozen=True)
class Recorded:
    """What a layer gave for one picture.

    value : in the layer's own layout, (1, ...); calls : how often the layer was called; logits : (K,)
    """

    value: Tensor
    calls: int
    logits: Tensor

    @property
    def activation(self) -> Tensor:
        """A, (C, h, w)."""
        found = spatial(self.value)
        assert found is not None
        return found[0]


@dataclass(frozen=True)
class ChannelCAM(CAM):
    """A class activation map L = sum_k w_k A_k whose weights are measured, picture by picture.

    `weights` yields the step and the number of steps, and returns w (C,).
    """

    def weights(
        self, model: nn.Module, where: Place, image: Tensor, target: int, given: Recorded
    ) -> Run[Tensor]:
        """w (C,) for one picture (1, C, H, W) and its class."""
        raise NotImplementedError

    def raw(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        return finish(self._raw(model, images, targets))

    def run(self, model: nn.Module, images: Tensor, targets: int | Tensor, *, seed: int = 0) -> Run[Tensor]:
        """The signed maps (N, H, W); nothing is drawn at random."""
        return enlarged((yield from self._raw(model, images, targets)), images.shape[2:])

    def _raw(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Run[Tensor]:
        images, classes = asked(model, images, targets)
        where, maps = place(model, images, self.layer), []
        for i in range(len(images)):
            image, target = images[i : i + 1], int(classes[i])
            given = record(model, where, image)
            run = self.weights(model, where, image, target, given)
            weights = yield from part(run, "explain", i, len(images))
            maps.append((weights[:, None, None] * given.activation).sum(0))
        return torch.stack(maps)


@torch.no_grad()
def record(model: nn.Module, where: Place, image: Tensor) -> Recorded:
    """What the layer gives for one picture (1, C, H, W)."""
    with frozen(model), where.recorded() as given:
        logits = require_logits(model(image))
    if not given:
        raise ValueError(f"Layer {where.name!r} is not used by the model's forward pass; choose another layer.")
    return Recorded(given[-1].detach(), len(given), logits[0])


@torch.no_grad()
def from_layer(model: nn.Module, where: Place, image: Tensor, calls: int, values: Tensor) -> Tensor:
    """Logits (B, K) as if the layer had given `values` (B, ...) for the picture in its last of `calls` calls.

    What lies before the layer sees one picture, whatever B; where a branch around the layer cannot be spread over the
    values, all of the network sees B.
    """
    for pixels in (image, image.expand(len(values), *image.shape[1:])):
        try:
            with frozen(model), where.intercepted(_last_of(calls, values)):
                logits = model(pixels)
        except RuntimeError:
            if len(pixels) == len(values):
                raise
            continue
        if len(logits) == len(values):
            return logits
    raise ValueError(f"What follows layer {where.name!r} does not answer picture by picture; choose another layer.")


def _last_of(calls: int, values: Tensor) -> Callable[[object], Tensor]:
    seen = 0

    def change(value: object) -> Tensor:
        nonlocal seen
        seen += 1
        assert isinstance(value, Tensor)
        return values if seen == calls else value

    return change
