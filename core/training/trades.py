"""TRADES: plain accuracy, traded for predictions that stay the same around each picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.device import autocast, device_of
from core.knobs import Method, knob
from core.networks.layout import laid_out
from core.training.shared.crafting import crafted, while_crafting
from core.training.shared.robust_training import ATTACKS, RobustTraining

START = 0.001
"""Standard deviation of the normal noise that the attack starts from."""


@dataclass(frozen=True)
class TRADES(RobustTraining):
    """TRADES (Zhang et al., ICML 2019, arXiv 1901.08573).

        CE(f(x), y) + beta KL(p(x) || p(x')),   p = softmax f,   x' the picture of the ball that raises the KL term most

    The start is x plus normal noise of 0.001 (`random_start` has no effect); the gradient goes through both arguments
    of the KL term. f(x) is computed once, where the authors' code does so again for the KL term: the same numbers, but
    running statistics move twice per step, not three times. beta = 0 is plain training.
    """

    attack: Method = knob(
        PGD(steps=7), help="how the pictures are attacked", paper=PGD(eps=0.031, alpha=0.007, steps=10)
    )
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=2e-4)
    beta: float = knob(
        6.0, low=0.0, high=20.0, step=0.5, symbol="β", help="weight of the KL term", paper=6.0, primary=True
    )

    def craft(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """x', which raises KL(p(x) || p(x')) with p(x) held still."""
        assert isinstance(self.attack, ATTACKS)
        if self.beta == 0 or self.attack.eps == 0:
            return images
        with while_crafting(model, self.craft_mode), torch.no_grad(), autocast(device_of(model)):
            clean = model(laid_out(model, images)).float().log_softmax(1)
        start = images + START * torch.randn(images.shape, device=images.device).to(images)
        return crafted(model, self.attack, images, clean, loss=kl_sum, mode=self.craft_mode, start=start)

    def loss(self, model: nn.Module, images: Tensor, adversarial: Tensor, labels: Tensor) -> Tensor:
        """The sum of both parts."""
        clean = model(laid_out(model, images))
        if self.beta == 0:
            return F.cross_entropy(clean, labels, label_smoothing=self.label_smoothing)
        attacked = model(laid_out(model, adversarial))
        natural, stable = trades_loss(clean, attacked, labels, self.label_smoothing)
        return natural + self.beta * stable


def trades_loss(clean: Tensor, attacked: Tensor, labels: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """CE(f(x), y) and KL(p(x) || p(x')), means over the batch, from both logits (N, K)."""
    natural = F.cross_entropy(clean.float(), labels, label_smoothing=smoothing)
    return natural, kl_sum(attacked, clean.float().log_softmax(1)) / len(labels)


def kl_sum(attacked: Tensor, clean: Tensor) -> Tensor:
    """The summed KL(p || p') = sum_k p_k (log p_k - log p'_k), from the logits of x' and log p (N, K)."""
    return F.kl_div(attacked.float().log_softmax(1), clean, reduction="sum", log_target=True)
