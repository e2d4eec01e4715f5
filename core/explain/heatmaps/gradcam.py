"""Grad-CAM: each channel's map, weighted by the average gradient of the class score."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.explain.heatmaps.cam import CAM


@dataclass(frozen=True)
class GradCAM(CAM):
    """Gradient-weighted class activation mapping (Selvaraju et al., ICCV 2017, https://arxiv.org/abs/1610.02391).

    a_k = (1/Z) sum_uv g_k(u, v);  L = sum_k a_k A_k. Before the ReLU, which belongs to the display.
    Where global average pooling and one linear layer follow, L sums to f_y - bias_y over its Z positions.
    Averaging the gradient can mark places that the model did not use: compare HiResCAM.
    """

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        return (slope.mean((2, 3), keepdim=True) * activation).sum(1)
