"""Occlusion: cover a window, and see how much the score drops."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.fills import FILLS, filled
from core.explain.heatmaps.slow import OneByOne
from core.knobs import knob

CHUNK = 32
"""Covered pictures in one pass; captum would take one."""


@dataclass(frozen=True)
class Occlusion(OneByOne):
    """Occlusion (Zeiler and Fergus, ECCV 2014, https://arxiv.org/abs/1311.2901), through captum.

    A square window moves by half of its side; each pixel gets the mean drop of f_y, in logits, over the windows that
    cover it. No fill is neutral: black is a colour, too.
    """

    window: float = knob(0.25, low=0.05, high=1.0, step=0.05, help="side of the window, as a share of the picture's")
    fill: str = knob("mean", choices=FILLS, help="what the window is filled with")

    def one(self, model: nn.Module, image: Tensor, target: int, seed: int) -> Tensor:
        from captum.attr import Occlusion as Captum

        side = max(1, round(self.window * image.shape[2]))
        stride = max(1, side // 2)
        with torch.no_grad():
            found = Captum(model).attribute(
                image, (image.shape[1], side, side), strides=(image.shape[1], stride, stride),
                baselines=filled(image, self.fill), target=target, perturbations_per_eval=CHUNK,
            )  # fmt: skip
        return found[0, 0].to(image)
