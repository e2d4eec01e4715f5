"""An adversarial autoencoder: codes that follow a prior, and the training that makes them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.anomaly.shared.epochs import Epochs
from core.anomaly.shared.outlier_model import QUANTILE, relative
from core.anomaly.shared.reconstruction import Reconstruction, drawn, layers, squared_error
from core.data.imageset import ImageSet

BOTH, LIKELIHOOD, RECONSTRUCTION = "both", "likelihood", "reconstruction"
RULES = (BOTH, LIKELIHOOD, RECONSTRUCTION)
MOST = 5.0
"""Nats: a picture with a negative weight drives its adversarial loss, which has no upper bound, no higher than this."""


class AdversarialModel(Reconstruction):
    """An autoencoder whose codes follow N(0, I), so that an unlikely code is a second alarm.

    rule : which alarm counts: "reconstruction" (L > T_rec), "likelihood" (||z|| > T_z), or "both", either of them
    radius : T_z, the 90th percentile of ||z|| over the training pictures. p(z) falls with ||z||, so this is where the
        likelihood is at its 10th percentile; p itself underflows to 0 far out.
    history : the weights (N,) of the training pictures after each round of ITSR, the last those of its last phase
    """

    radius: Tensor

    def __init__(self, shape: tuple[int, ...], width: int, latent: int, rule: str = BOTH):
        super().__init__(shape, width, latent, normed=True)
        self.rule = rule
        self.history: list[Tensor] = []
        self.register_buffer("radius", torch.tensor(torch.inf))

    def errors_and_radii(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """L(x) and ||z||, (N,) each, of the images, from one pass through the encoder."""
        errors, radii = self.measured(self._judged, images).unbind(1)
        return errors, radii

    def _judged(self, pixels: Tensor) -> Tensor:
        codes = self.encoder(pixels.flatten(1))
        return torch.stack([squared_error(self.decoder(codes).sigmoid(), pixels), codes.float().norm(dim=1)], 1)

    def score(self, images: Tensor) -> Tensor:
        """max(L / T_rec, ||z|| / T_z), or the one that the rule names: above 1 exactly where the rule rejects."""
        return combined(self.alarms(images), self.rule)

    def alarms(self, images: Tensor) -> dict[str, Tensor]:
        """L / T_rec and ||z|| / T_z (N,) of each image, by the rule's name."""
        errors, radii = self.errors_and_radii(images)
        return {RECONSTRUCTION: relative(errors, self.threshold), LIKELIHOOD: relative(radii, self.radius)}

    def calibrate(self, images: Tensor) -> None:
        """Set both thresholds, of errors and of radii."""
        for threshold, values in zip((self.threshold, self.radius), self.errors_and_radii(images), strict=True):
            threshold.copy_(values.quantile(QUANTILE))


def combined(alarms: dict[str, Tensor], rule: str) -> Tensor:
    """The score of a rule from those of its parts."""
    return torch.maximum(*(alarms[name] for name in (RECONSTRUCTION, LIKELIHOOD))) if rule == BOTH else alarms[rule]


def log_likelihood(codes: Tensor) -> Tensor:
    """log p(z) (N,) of codes (N, d) under N(0, I), in nats."""
    return -0.5 * (codes.square().sum(1) + codes.shape[1] * torch.log(torch.tensor(2 * torch.pi)))


def discriminator_loss(real: Tensor, fake: Tensor, weights: Tensor) -> Tensor:
    """Of logits (B,): -log D(real), mean, and -log(1 - D(fake)), weighted; draws of the prior always weigh 1."""
    return _bce(real, 1.0).mean() + _weighted(_bce(fake, 0.0), weights)


def encoder_loss(fake: Tensor, weights: Tensor) -> Tensor:
    """Of logits (B,): -log D(fake), weighted; the form that does not saturate."""
    return _weighted(_bce(fake, 1.0), weights)


def _bce(logits: Tensor, goal: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, goal), reduction="none")


def _weighted(losses: Tensor, weights: Tensor) -> Tensor:
    """sum_i w_i l_i / n, in which a loss with a negative weight counts up to MOST."""
    return (weights * torch.where(weights < 0, losses.clamp_max(MOST), losses)).mean()


class AdversarialTraining(Epochs):
    """Epochs in which each batch makes a reconstruction step, one of the discriminator, and one of the encoder as
    its opponent; a picture's weight multiplies its part of each."""

    model: AdversarialModel

    def __init__(
        self, train: ImageSet, width: int, latent: int, rule: str, lr: float, lr_adversarial: float, batch_size: int,
        seed: int,
    ):  # fmt: skip
        device, shape = train.images.device, tuple(train.images.shape[1:])
        model = drawn(seed, lambda: AdversarialModel(shape, width, latent, rule), device)
        self.discriminator = drawn(seed + 1, lambda: layers(latent, width, 1), device)
        self.of_discriminator = torch.optim.Adam(self.discriminator.parameters(), lr=lr_adversarial)
        self.of_encoder = torch.optim.Adam(model.encoder.parameters(), lr=lr_adversarial)
        optimiser, generator = torch.optim.Adam(model.parameters(), lr=lr), torch.Generator().manual_seed(seed)
        super().__init__(model, model.error, optimiser, batch_size, generator, self.adversarial_steps)

    def adversarial_steps(self, pixels: Tensor, weights: Tensor) -> None:
        """The discriminator learns to tell codes from draws of the prior, then the encoder to deceive it."""
        codes = self.model.encoder(pixels.flatten(1))
        prior = torch.randn(codes.shape, generator=self.generator).to(codes)
        real, fake = self.discriminator(torch.cat([prior, codes.detach()]))[:, 0].chunk(2)
        _step(self.of_discriminator, discriminator_loss(real, fake, weights), self.discriminator.parameters())
        fake = self.discriminator(codes)[:, 0]
        _step(self.of_encoder, encoder_loss(fake, weights), self.model.encoder.parameters())


def _step(optimiser: torch.optim.Optimizer, loss: Tensor, parameters: Iterable[nn.Parameter]) -> None:
    """One step on these parameters alone: no gradient is computed for any other."""
    chosen = list(parameters)
    for parameter, gradient in zip(chosen, torch.autograd.grad(loss, chosen), strict=True):
        parameter.grad = gradient
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
