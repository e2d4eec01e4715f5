"""A small variational autoencoder, as the analysis of the FMix authors uses it."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIDDLE, SCALE = 0.5, 0.25
"""Pixels in [0, 1] are brought to about [-2, 2]."""


class VAE(nn.Module):
    """Four convolutions of stride 2 and a hidden layer, down to the mean and the log deviation of a code; the decoder
    goes up again by bilinear enlargements, each followed by a convolution. Pictures (N, C, 32, 32) in [0, 1].

    width : channels of the first two convolutions; the other two have twice as many
    deviation : of the normal distribution that a decoded pixel stands for
    """

    def __init__(self, channels: int = 3, width: int = 16, latent: int = 32, deviation: float = 0.3):
        super().__init__()
        self.deviation = deviation
        ends = (channels, width, width, 2 * width, 2 * width)
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(b))
            for a, b in itertools.pairwise(ends)
        )
        self.hidden = nn.Linear(8 * width, 8 * width)
        self.code = nn.Linear(8 * width, 2 * latent)
        nn.init.zeros_(self.code.weight)
        nn.init.zeros_(self.code.bias)
        self.expand = nn.Sequential(nn.Linear(latent, 8 * width), nn.ReLU(), nn.Linear(8 * width, 8 * width), nn.ReLU())
        outs = (2 * width, 2 * width, width, width, channels)
        self.up = nn.ModuleList(nn.Conv2d(a, b, 4, 1, 1) for a, b in itertools.pairwise(outs))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.xavier_normal_(layer.weight)

    def layers(self, pictures: Tensor) -> list[Tensor]:
        """What each convolution hands on, from the first to the last."""
        found, x = [], (pictures - MIDDLE) / SCALE
        for layer in self.down:
            x = layer(x)
            found.append(x)
        return found

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation of the code of each picture, (N, latent) each."""
        mean, log = self.code(F.relu(self.hidden(self.layers(pictures)[-1].flatten(1)))).chunk(2, 1)
        return mean, log

    def decode(self, code: Tensor) -> Tensor:
        """The mean picture of each code, in [0, 1] or somewhat beyond."""
        x = self.expand(code)
        x = x.view(len(x), -1, 2, 2)
        for place, (layer, side) in enumerate(zip(self.up, (5, 9, 17, 33), strict=True)):
            x = layer(F.interpolate(x, (side, side), mode="bilinear", align_corners=False))
            x = F.relu(x) if place < len(self.up) - 1 else x
        return x * SCALE + MIDDLE

    def reconstruct(self, pictures: Tensor) -> Tensor:
        """The mean picture of a code that is drawn for each picture."""
        mean, log = self.encode(pictures)
        return self.decode(mean + log.exp() * torch.randn_like(mean))

    def forward(self, pictures: Tensor) -> Tensor:
        """The loss of each picture (N,), in nats up to a constant: how far its reconstruction lies from it, in
        normalised pixels, and how far its code from a standard normal one."""
        mean, log = self.encode(pictures)
        return self.loss(pictures, mean, log, torch.randn_like(mean))

    def loss(self, pictures: Tensor, mean: Tensor, log: Tensor, noise: Tensor) -> Tensor:
        """That loss of pictures with these codes, drawn by `noise` ((N, latent), or (latent,) for all of them)."""
        made = self.decode(mean + log.exp() * noise)
        error = ((made - pictures).float() / SCALE).square().flatten(1).sum(1) / (2 * self.deviation**2)
        return error + code_divergence(mean, log)


def code_divergence(mean: Tensor, log: Tensor) -> Tensor:
    """KL(N(mean, exp(log)^2) || N(0, I)) of each row of (N, latent), in nats (N,)."""
    mean, log = mean.float(), log.float()
    return 0.5 * (mean.square() + (2 * log).exp() - 1 - 2 * log).sum(1)
