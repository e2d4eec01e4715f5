"""Grad-CAM++: positive gradients, weighted so that every instance of a class counts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.explain.heatmaps.cam import CAM
from core.knobs import knob


@dataclass(frozen=True)
class GradCAMPlusPlus(CAM):
    """Grad-CAM++ (Chattopadhyay et al., WACV 2018, https://arxiv.org/abs/1710.11063).

    alpha_k = g^2 / (2 g^2 + S_k g^3), S_k = sum_uv A_k;  w_k = sum_uv alpha_k ReLU(g_k);  L = sum_k w_k A_k.
    The closed form takes exp(f_y) for the score; with the logit, as here and elsewhere, it is a convention. Only
    places with g > 0 count, where g^2 cancels: alpha = 1 / (2 + S_k g). Signed activations can bring the denominator
    to zero or below; alpha is 0 there (our choice).
    """

    guard: float = knob(
        0.0, low=0.0, high=1e-3,
        help="added to the denominator before g² cancels; the grad-cam library adds 1e-6, which changes the map",
    )  # fmt: skip

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        total = activation.sum((2, 3), keepdim=True)
        below = 2 + total * slope
        if self.guard:
            below = below + self.guard / slope.square().where(slope != 0, 1)
        alpha = (1 / below.where(below > 1e-6, 1)).where((below > 1e-6) & (slope != 0), 0)
        weights = (alpha * slope.clamp_min(0)).sum((2, 3), keepdim=True)
        return (weights * activation).sum(1)
