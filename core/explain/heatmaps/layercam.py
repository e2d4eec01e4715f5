"""LayerCAM: each position's own positive gradient is its weight."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from core.explain.heatmaps.cam import CAM


@dataclass(frozen=True)
class LayerCAM(CAM):
    """LayerCAM (Jiang et al., IEEE Transactions on Image Processing 2021, https://doi.org/10.1109/TIP.2021.3089943).

    L = sum_k ReLU(g_k) A_k, element by element. It is made for early layers, whose maps are finer. Evidence against
    the class is left out, so L does not sum to the logit.
    """

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        return (slope.clamp_min(0) * activation).sum(1)
