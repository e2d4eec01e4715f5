"""The primitive of the CAM family: a layer's activations and the gradient of a class score there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import in_batches
from core.explain.heatmaps.layers import Place, place, spatial
from core.knobs import Method, knob
from core.networks.checks import one_per_image, ready, require_classes, require_logits
from core.networks.model_state import frozen


def activations_and_gradient(
    model: nn.Module, where: Place, images: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A and g = d f_y / d A, both (N, C, h, w), and the logits f_y (N,) of the target classes; all detached.

    One forward pass, and a backward pass that stops at the layer: the graph begins there, as the parameters are
    frozen. Eval mode, as summing the scores over the batch would otherwise mix the images. The plain layout, which
    every network takes: for a picture or two, bringing plain weights into channels last costs more than it saves.
    """
    pixels = images.detach().contiguous()
    with frozen(model), torch.enable_grad(), where.recorded() as given:
        logits = model(pixels)
        require_classes(targets, "targets", require_logits(logits.detach()).shape[1])
        if not given:
            raise ValueError(f"Layer {where.name!r} is not used by the model's forward pass; choose another layer.")
        activation, score = given[-1], logits.gather(1, targets[:, None])[:, 0]
        slope = torch.zeros_like(activation)
        if score.requires_grad:  # else the answer does not depend on this layer
            (slope,) = torch.autograd.grad(score.sum(), activation, materialize_grads=True)
    return _maps(activation.detach()), _maps(slope), score.detach()


def _maps(value: Tensor) -> Tensor:
    found = spatial(value)
    assert found is not None  # `recorded` refuses what has no positions
    return found


@dataclass(frozen=True)
class CAM(Method):
    """What the class activation maps share; what differs is `weigh`, one formula each."""

    layer: str = knob("", help="layer whose map is explained, by name; empty for the last convolutional map")

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        """The formula: activations A and gradients g, both (N, C, h, w), -> raw map (N, h, w)."""
        raise NotImplementedError

    def raw(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """The signed map (N, h, w) at the layer's own resolution, in logits.

        images : (N, C, H, W) in [0, 1]
        targets : the class to explain, one for all or one per image (N,); never silently the predicted one
        """
        images = ready(model, images)
        classes = one_per_image(targets, "targets", len(images), images.device)
        where = place(model, images, self.layer)

        def explain(x: Tensor, y: Tensor) -> Tensor:
            activation, slope, _ = activations_and_gradient(model, where, x, y)
            return self.weigh(activation, slope)

        return in_batches(explain, images, classes, size=64)

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """The signed map (N, H, W), in logits: `raw` brought to the images' size bilinearly, not normalised."""
        return enlarged(self.raw(model, images, targets), images.shape[2:])


def enlarged(maps: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Maps (N, h, w) at another size (H, W), bilinear with align_corners=False."""
    if tuple(maps.shape[1:]) == tuple(size):
        return maps
    return F.interpolate(maps[:, None], tuple(size), mode="bilinear", align_corners=False)[:, 0]
