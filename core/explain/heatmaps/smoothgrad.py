"""SmoothGrad: the gradient, averaged over noisy copies of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.slow import OneByOne
from core.knobs import knob

CHUNK = 25
"""Noisy copies in one pass."""


@dataclass(frozen=True)
class SmoothGrad(OneByOne):
    """SmoothGrad (Smilkov et al., 2017, https://arxiv.org/abs/1706.03825), through captum.

    mean_i grad f_y(x + e_i), e_i ~ N(0, sigma²), sigma = noise (max x - min x); with its sign, summed over the colours,
    in logits per unit of pixel. Noisy copies may leave [0, 1]. Every picture gets the same noise.
    """

    samples: int = knob(50, low=1, high=500, step=1, symbol="n", help="noisy copies")
    noise: float = knob(0.15, low=0.0, high=1.0, step=0.05, help="standard deviation of e, in the picture's range")

    def one(self, model: nn.Module, image: Tensor, target: int, seed: int) -> Tensor:
        from captum.attr import NoiseTunnel, Saliency

        sigma = self.noise * float(image.max() - image.min())
        devices = [image.device] if image.is_cuda else []
        with torch.random.fork_rng(devices):  # captum draws from the global generator
            torch.manual_seed(seed)
            found = NoiseTunnel(Saliency(model)).attribute(
                image.requires_grad_(), nt_type="smoothgrad", nt_samples=self.samples,
                nt_samples_batch_size=min(CHUNK, self.samples), stdevs=sigma, target=target, abs=False,
            )  # fmt: skip
        return found[0].sum(0)
