"""Single-step attacks of a training: FGSM from a random point, with the ball kept or left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from core.knobs import Method, knob


@dataclass(frozen=True)
class FGSMRS(Method):
    """FGSM from a random start (Wong, Rice, Kolter, "Fast is better than free", ICLR 2020, arXiv 2001.03994), the
    attack of a training: `Adversarial(attack=FGSMRS())`.

        d = U(-eps, eps);   d <- clamp(d + alpha sign(grad CE(f(x + d), y)), -eps, eps);   x' = clamp(x + d, 0, 1)

    At the cost of two passes per step. Long training may end in catastrophic overfitting: within an epoch or two the
    accuracy under PGD falls to 0, while that under this attack rises. The record of the epochs shows it.
    """

    eps: float = knob(
        8 / 255, low=0.0, high=1.0, step=1 / 255, symbol="ε", help="radius of the ball, pixels in 0-1", primary=True
    )
    alpha: float = knob(
        10 / 255, low=0.0, high=1.0, step=1 / 255, symbol="α", help="length of the step, pixels in 0-1", paper=10 / 255
    )

    steps: ClassVar[int] = 1

    def start(self, x: Tensor) -> Tensor:
        """A uniformly random point of the ball around each picture x, in [0, 1]."""
        return (x + self.eps * noise(x)).clamp(0, 1)

    def step(self, now: Tensor, slope: Tensor, x: Tensor) -> Tensor:
        """x' from the start and the gradient there."""
        return (x + (now + self.alpha * slope.sign() - x).clamp(-self.eps, self.eps)).clamp(0, 1)


@dataclass(frozen=True)
class NFGSM(Method):
    """N-FGSM (de Jorge et al., "Make some noise", NeurIPS 2022, arXiv 2202.01181), the attack of a training:
    `Adversarial(attack=NFGSM())`.

        n = U(-k eps, k eps);   x' = clamp(x + n + alpha sign(grad CE(f(x + n), y)), 0, 1)

    More noise than the ball holds, and no projection back onto it: x' may be (k eps + alpha) away. That avoids the
    catastrophic overfitting of FGSM-RS at the same cost.
    """

    eps: float = knob(
        8 / 255, low=0.0, high=1.0, step=1 / 255, symbol="ε", help="radius of the ball, pixels in 0-1", primary=True
    )
    k: float = knob(2.0, low=0.0, high=4.0, step=0.5, symbol="k", help="noise in units of ε", paper=2.0)

    steps: ClassVar[int] = 1

    def start(self, x: Tensor) -> Tensor:
        """The pictures x with noise, in [0, 1]."""
        return (x + self.k * self.eps * noise(x)).clamp(0, 1)

    def step(self, now: Tensor, slope: Tensor, x: Tensor) -> Tensor:
        """x' from the noisy pictures and the gradient there: a step of eps, without a projection."""
        return (now + self.eps * slope.sign()).clamp(0, 1)


def noise(x: Tensor) -> Tensor:
    """Uniform random numbers in [-1, 1] of the shape and on the device of x."""
    return torch.rand(x.shape, device=x.device).to(x) * 2 - 1
