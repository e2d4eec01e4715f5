"""An autoencoder of flattened pictures: what it cannot reconstruct is unusual."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.anomaly.shared.outlier_model import OutlierModel
from core.optim.train import seeded

Net = TypeVar("Net", bound=nn.Module)


class Reconstruction(OutlierModel):
    """Encoder D-width-width-latent with a linear output, and its mirror with a sigmoid at the end.

    normed : batch norm after each hidden layer of the encoder, before its ReLU
    """

    def __init__(self, shape: tuple[int, ...], width: int, latent: int, *, normed: bool = False):
        super().__init__(shape)
        pixels = math.prod(shape)
        self.encoder = layers(pixels, width, latent, normed=normed)
        self.decoder = layers(latent, width, pixels)

    def codes(self, images: Tensor) -> Tensor:
        """The code (N, latent) of each image."""
        return self.measured(lambda pixels: self.encoder(pixels.flatten(1)), images)

    def reconstructed(self, images: Tensor) -> Tensor:
        """What is left of each image, (N, C, H, W) in [0, 1]."""
        return self.measured(lambda pixels: self(pixels).view_as(pixels), images)

    def errors(self, images: Tensor) -> Tensor:
        """L(x), the squared error (N,) of each image, summed over its pixels."""
        return self.raw(images)

    def forward(self, pixels: Tensor) -> Tensor:
        """The reconstruction (B, D) of pixels (B, C, H, W)."""
        return self.decoder(self.encoder(pixels.flatten(1))).sigmoid()

    def error(self, pixels: Tensor) -> Tensor:
        """L(x) of a batch, with gradients where they are on."""
        return squared_error(self(pixels), pixels)

    def strangeness(self, pixels: Tensor) -> Tensor:
        return self.error(pixels)


def squared_error(made: Tensor, pixels: Tensor) -> Tensor:
    """L(x) (B,) of pixels (B, C, H, W) and what was made of them (B, D): summed over the pixels."""
    return (made.float() - pixels.flatten(1)).square().sum(1)


def layers(first: int, width: int, last: int, *, normed: bool = False) -> nn.Sequential:
    """Two layers with ReLU, and a linear one."""
    found: list[nn.Module] = []
    for a, b in itertools.pairwise([first, width, width]):
        found += [nn.Linear(a, b), *([nn.BatchNorm1d(b)] if normed else []), nn.ReLU()]
    return nn.Sequential(*found, nn.Linear(width, last))


def drawn(seed: int, make: Callable[[], Net], device: torch.device) -> Net:
    """The network that `make` gives, its first weights drawn by `seed`."""
    with seeded(seed, device):
        return make().to(device)
