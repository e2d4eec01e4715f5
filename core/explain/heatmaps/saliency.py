"""Saliency: the gradient of the class score with respect to each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.device import in_batches
from core.explain.heatmaps.checked import asked
from core.knobs import Method, knob
from core.networks.model_state import frozen


@dataclass(frozen=True)
class Saliency(Method):
    """The gradient of the logit (Simonyan et al., 2013, https://arxiv.org/abs/1312.6034), in logits per unit of pixel.

    G = d f_y / d x; the map is max_c |G_c|, or sum_c G_c with its sign. A gradient is zero where the evidence is
    complete, and noisy elsewhere.
    """

    absolute: bool = knob(True, help="largest absolute value over the colours; off: their sum, with its sign")

    def __call__(self, model: nn.Module, images: Tensor, targets: int | Tensor) -> Tensor:
        """Maps (N, H, W) of images (N, C, H, W) in [0, 1], for one class or one per image."""
        slope = in_batches(lambda x, y: input_gradient(model, x, y), *asked(model, images, targets), size=64)
        return slope.abs().amax(1) if self.absolute else slope.sum(1)


def input_gradient(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """d f_y / d x, (N, C, H, W), for checked images and their classes (N,)."""
    with frozen(model), torch.enable_grad():
        pixels = images.detach().clone().requires_grad_()
        score = model(pixels).gather(1, targets[:, None]).sum()
        return torch.autograd.grad(score, pixels)[0]
