"""Ablation-CAM: weigh each channel by how much the score drops without it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.channel_cam import ChannelCAM, Recorded, from_layer
from core.explain.heatmaps.layers import Place, without_channels
from core.runs import Progress, Run

CHUNK = 64
"""Ablated activations in one pass."""


@dataclass(frozen=True)
class AblationCAM(ChannelCAM):
    """Ablation-CAM (Desai and Ramaswamy, WACV 2020, https://doi.org/10.1109/WACV45572.2020.9093360).

    y_k: the score f_y with A_k = 0;  w_k = (f_y - y_k) / f_y;  L = sum_k w_k A_k. Where f_y <= 1e-6, w_k = f_y - y_k
    (our choice): dividing by a negative score would turn every weight around. Only what lies behind the layer is
    computed for each channel. An activation of zero may be one that the network never sees.
    """

    def weights(self, model: nn.Module, where: Place, image: Tensor, target: int, given: Recorded) -> Run[Tensor]:
        channels, scores = torch.arange(len(given.activation), device=image.device), []
        for some in channels.split(CHUNK):
            ablated = without_channels(given.value, some)
            scores.append(from_layer(model, where, image, given.calls, ablated)[:, target])
            yield Progress("explain", int(some[-1]) + 1, len(channels))
        score = given.logits[target]
        return (score - torch.cat(scores)) / (score if score > 1e-6 else 1)
