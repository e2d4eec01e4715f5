"""Score-CAM: mask the picture with each channel's map, and weigh the channel by the score that is left."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.cam import enlarged
from core.explain.heatmaps.channel_cam import ChannelCAM, Recorded
from core.explain.heatmaps.layers import Place
from core.networks.predictions import predict
from core.runs import Progress, Run

CHUNK = 32
"""Masked pictures in one pass."""


@dataclass(frozen=True)
class ScoreCAM(ChannelCAM):
    """Score-CAM (Wang et al., CVPR workshops 2020, https://arxiv.org/abs/1910.01279).

    H_k = A_k, enlarged, brought to [0, 1];  s_k = f_y(x H_k);  w = softmax(s) over the channels;  L = sum_k w_k A_k.
    One pass per channel and picture. A product with the mask fills with black, as normalisation lies in the model.
    A constant channel gives H_k = 0, the score of a black picture. The softmax over the logits is that of the paper's
    text and of the grad-cam library; the authors' code weighs by the class probability instead.
    """

    def weights(self, model: nn.Module, where: Place, image: Tensor, target: int, given: Recorded) -> Run[Tensor]:
        scores, masks = [], _masks(given.activation, image.shape[2:])
        for start in range(0, len(masks), CHUNK):
            scores.append(predict(model, image * masks[start : start + CHUNK, None])[:, target])
            yield Progress("explain", min(start + CHUNK, len(masks)), len(masks))
        return torch.cat(scores).softmax(0).to(given.activation)


def _masks(activation: Tensor, size: torch.Size) -> Tensor:
    """H, (C, H, W)."""
    maps = enlarged(activation, size)
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low + 1e-8)
