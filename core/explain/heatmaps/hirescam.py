"""HiResCAM: gradient times activation, position by position."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.explain.heatmaps.cam import CAM


@dataclass(frozen=True)
class HiResCAM(CAM):
    """High-resolution class activation mapping (Draelos and Carin, 2020, https://arxiv.org/abs/2011.08891).

    L = sum_k g_k A_k, element by element. Where one linear layer follows (after flattening or global
    average pooling), L sums to f_y - bias_y: it shows what the model used. After global average pooling
    it equals Grad-CAM; choose an earlier layer to see them differ.
    """

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        return (slope * activation).sum(1)
