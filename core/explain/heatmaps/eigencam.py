"""EigenCAM: the first principal component of the activations, whatever the class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.explain.heatmaps.cam import CAM


@dataclass(frozen=True)
class EigenCAM(CAM):
    """EigenCAM (Muhammad and Yeasin, IJCNN 2020, https://arxiv.org/abs/2008.00299).

    X (Z, C) holds the activations by position, less their mean; L = X v, v its first right singular vector. The sign
    of v is arbitrary; here L agrees with sum_k A_k (our choice), so that bright is where the layer is active. The map
    is the same for every class, so it cannot be ranked beside those that explain one.
    """

    def weigh(self, activation: Tensor, slope: Tensor) -> Tensor:
        positions = activation.flatten(2).transpose(1, 2)
        positions = positions - positions.mean(1, keepdim=True)
        left, singular, _ = torch.linalg.svd(positions, full_matrices=False)
        component = left[:, :, 0] * singular[:, :1]
        agrees = (component * positions.sum(2)).sum(1, keepdim=True) >= 0
        return component.where(agrees, -component).unflatten(1, activation.shape[2:])
