"""Deep SVDD: a network that takes all training pictures close to one point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.anomaly.shared.epochs import Epochs, Losses, calibrated
from core.anomaly.shared.outlier_model import OutlierModel, check_pictures
from core.anomaly.shared.reconstruction import drawn
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.optim.batches import steps_per_epoch
from core.optim.schedules import Schedule, stepped
from core.runs import Run

OFF_ZERO = 0.1
"""No coordinate of the centre is nearer to 0 than this: 0 is where weights of 0 would lead."""


class Centred(OutlierModel):
    """||phi(x) - c||^2, phi having neither biases nor bounded activations: else a constant would be optimal."""

    centre: Tensor

    def __init__(self, shape: tuple[int, ...], width: int, latent: int):
        super().__init__(shape)
        pixels = math.prod(shape)
        self.encoder, self.decoder = _layers(pixels, width, latent), _layers(latent, width, pixels)
        self.register_buffer("centre", torch.zeros(latent))

    def error(self, pixels: Tensor) -> Tensor:
        """The squared error (B,) of the autoencoder that it begins as."""
        flat = pixels.flatten(1)
        return (self.decoder(self.encoder(flat)).sigmoid() - flat).square().sum(1)

    def strangeness(self, pixels: Tensor) -> Tensor:
        return (self.encoder(pixels.flatten(1)) - self.centre).float().square().sum(1)

    def find_centre(self, images: Tensor) -> None:
        """c: the mean of the codes, with coordinates moved away from 0."""
        mean = self.measured(lambda pixels: self.encoder(pixels.flatten(1)), images).mean(0)
        self.centre.copy_(off_zero(mean))


def off_zero(centre: Tensor) -> Tensor:
    """Coordinates nearer to 0 than OFF_ZERO moved to it, on their own side; 0 itself upwards."""
    side = torch.where(centre < 0, -1.0, 1.0)
    return torch.where(centre.abs() < OFF_ZERO, OFF_ZERO * side, centre)


def _layers(first: int, width: int, last: int) -> nn.Sequential:
    act = nn.LeakyReLU(0.1)
    return nn.Sequential(nn.Linear(first, width, bias=False), act, nn.Linear(width, last, bias=False))


@dataclass(frozen=True)
class DeepSVDD(Method):
    """Ruff et al., "Deep One-Class Classification", ICML 2018: minimise the mean of ||phi(x) - c||^2 with weight decay.

    An autoencoder is trained first; phi is its encoder and c the mean of its codes. Fully connected, for pictures of
    any shape, where the authors' networks are convolutional.
    """

    epochs: int = knob(50, low=1, high=1000, step=10, paper=150, primary=True, help="passes over the pictures")
    pretrain: int = knob(30, low=0, high=1000, step=10, paper=150, help="epochs as an autoencoder")
    width: int = knob(128, low=8, high=2000, step=8, help="units in the hidden layer")
    latent: int = knob(32, low=1, high=512, step=1, help="dimensions of the space in which the point lies")
    lr: float = knob(1e-3, low=1e-5, high=0.1, paper=1e-4, symbol="η", help="of Adam; a tenth after a third")
    weight_decay: float = knob(5e-7, low=0.0, high=0.1, paper=5e-7, symbol="λ", help="of Adam")
    batch_size: int = knob(100, low=4, high=1000, step=4, paper=200, help="pictures per step")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[Centred]:
        """Train on pictures of any shape, of which some may be outliers."""
        check_pictures("DeepSVDD", train)
        device, shape = train.images.device, tuple(train.images.shape[1:])
        model = drawn(seed, lambda: Centred(shape, self.width, self.latent), device)
        return (yield from calibrated(model, self._phases(model, train, seed), train))

    def _phases(self, model: Centred, train: ImageSet, seed: int) -> Run[None]:
        """The autoencoder, and then its codes towards their mean."""
        generator = torch.Generator().manual_seed(seed)
        third = self.epochs * steps_per_epoch(train, self.batch_size) // 3

        def phase(losses: Losses, schedule: Schedule | None = None, learned: float = 0.0) -> Epochs:
            optimiser = torch.optim.Adam(model.parameters(), lr=self.lr, weight_decay=self.weight_decay)
            return Epochs(model, losses, optimiser, self.batch_size, generator, schedule=schedule, learned=learned)

        first = phase(model.error)
        yield from first.run(train, None, self.pretrain, "pretrain")
        model.find_centre(train.images)
        second = phase(model.strangeness, stepped(self.lr, (third,)), first.learned)
        yield from second.run(train, None, self.epochs)
