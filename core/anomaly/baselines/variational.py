"""A variational autoencoder as detector of outliers: pictures of low likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.anomaly.shared.epochs import Epochs, calibrated
from core.anomaly.shared.outlier_model import OutlierModel, check_pictures
from core.anomaly.shared.reconstruction import drawn
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.networks.vae import VAE
from core.runs import Run

SIZE = 32
"""Width of the pictures that the network takes; others are resized."""


class Variational(OutlierModel):
    """The negative evidence lower bound, mean of several draws of the code, in nats up to a constant.

    noise : (draws, latent), drawn once and the same for every picture, so that a score depends on its picture alone
    """

    noise: Tensor

    def __init__(self, shape: tuple[int, ...], width: int, latent: int, draws: int):
        super().__init__(shape)
        self.vae = VAE(shape[0], width, latent)
        self.register_buffer("noise", torch.randn(draws, latent))

    def loss(self, pixels: Tensor) -> Tensor:
        """The bound (B,) of pixels (B, C, H, W) with one drawn code each."""
        return self.vae(resized(pixels))

    def strangeness(self, pixels: Tensor) -> Tensor:
        pixels = resized(pixels)
        mean, log = self.vae.encode(pixels)
        return torch.stack([self.vae.loss(pixels, mean, log, noise) for noise in self.noise]).mean(0)


def resized(pixels: Tensor) -> Tensor:
    """Pixels (B, C, H, W) in the size that the network takes."""
    fits = pixels.shape[-2:] == (SIZE, SIZE)
    return pixels if fits else F.interpolate(pixels, (SIZE, SIZE), mode="bilinear", antialias=True)


@dataclass(frozen=True)
class VariationalAutoencoder(Method):
    """Kingma and Welling, 2013 (arXiv 1312.6114): a picture is strange where -log p(x | z) + KL(q(z | x) || N(0, I))
    is large, the decoder being a normal distribution.

    The likelihood follows how complex a picture is, too: plain pictures that were never seen can have a higher one than
    the training pictures. The convolutional network of `core.networks.vae`, for pictures of 32 x 32 pixels.
    """

    epochs: int = knob(20, low=1, high=1000, step=5, primary=True, help="passes over the pictures")
    width: int = knob(16, low=4, high=64, step=4, help="channels of the first convolution")
    latent: int = knob(32, low=2, high=256, step=2, help="numbers in a code")
    draws: int = knob(10, low=1, high=100, step=1, help="codes drawn for each score")
    lr: float = knob(0.002, low=1e-5, high=0.1, symbol="η", help="of Adam")
    batch_size: int = knob(64, low=4, high=512, step=4, help="pictures per step")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[Variational]:
        """Train on pictures of any shape, of which some may be outliers."""
        check_pictures("VariationalAutoencoder", train)
        device, shape = train.images.device, tuple(train.images.shape[1:])
        model = drawn(seed, lambda: Variational(shape, self.width, self.latent, self.draws), device)
        training = Epochs(
            model, model.loss, torch.optim.Adam(model.parameters(), lr=self.lr), self.batch_size,
            torch.Generator().manual_seed(seed),
        )  # fmt: skip
        return (yield from calibrated(model, training.run(train, None, self.epochs), train))
