"""XGrad-CAM: channel weights that keep the sum of gradient times activation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.explain.heatmaps.cam import CAM

GUARD = 1e-7
"""Added to the denominator, as in the grad-cam library."""


@dataclass(frozen=True)
class XGradCAM(CAM):
    """Axiom-based Grad-CAM (Fu et al., BMVC 2020, https://arxiv.org/abs/2008.02312).

    w_k = sum_uv g_k A_k / sum_uv A_k;  L = sum_k w_k A_k. L sums to what HiResCAM sums to. After global average
    pooling it equals Grad-CAM. Signed activations can bring the denominator to zero: choose a layer behind a ReLU.
    """

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        weights = (slope * activation).sum((2, 3), keepdim=True) / (activation.sum((2, 3), keepdim=True) + GUARD)
        return (weights * activation).sum(1)
