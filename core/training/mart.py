"""MART: adversarial training that looks most at pictures which are misclassified before any attack."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.inputs.pgd import PGD
from core.knobs import Method, knob
from core.networks.layout import laid_out
from core.training.shared.crafting import crafted
from core.training.shared.robust_training import ATTACKS, RobustTraining
from core.training.trades import START


@dataclass(frozen=True)
class MART(RobustTraining):
    """Misclassification-aware adversarial training (Wang et al., ICLR 2020, openreview.net/forum?id=rklOg6EFwS).

        BCE(p(x'), y) + beta KL(p(x) || p(x')) (1 - p_y(x))
        BCE(p', y) = -log p'_y - log(1 - max over k != y of p'_k)

    Means over the batch; the gradient goes through every term. x' raises the cross-entropy; the start is x plus normal
    noise of 0.001 (`random_start` has no effect). Small constants keep the logarithms finite, as in the authors' code.
    """

    attack: Method = knob(
        PGD(steps=7), help="how the pictures are attacked", paper=PGD(eps=0.031, alpha=0.007, steps=10)
    )
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=3.5e-3)
    beta: float = knob(
        5.0, low=0.0, high=20.0, step=0.5, symbol="β", help="weight of the KL term", paper=5.0, primary=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_smoothing:
            raise ValueError("MART.label_smoothing has no place in its loss; leave it at 0.")

    def craft(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """x', which raises the cross-entropy."""
        assert isinstance(self.attack, ATTACKS)
        start = images + START * torch.randn(images.shape, device=images.device).to(images)
        return crafted(model, self.attack, images, labels, mode=self.craft_mode, start=start)

    def loss(self, model: nn.Module, images: Tensor, adversarial: Tensor, labels: Tensor) -> Tensor:
        """The sum of both parts."""
        clean = model(laid_out(model, images))
        attacked = model(laid_out(model, adversarial))
        boosted, weighted = mart_loss(clean, attacked, labels)
        return boosted + self.beta * weighted


def mart_loss(clean: Tensor, attacked: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The boosted cross-entropy of x', and the KL term weighted by 1 - p_y(x): means over the batch, from both logits
    (N, K)."""
    clean, attacked = clean.float(), attacked.float()
    p, p_adv = clean.softmax(1), attacked.softmax(1)
    own = labels[:, None]
    likeliest_other = p_adv.scatter(1, own, -1.0).amax(1)
    boosted = F.cross_entropy(attacked, labels) - (1.0001 - likeliest_other + 1e-12).log().mean()
    divergence = F.kl_div((p_adv + 1e-12).log(), p, reduction="none").sum(1)
    return boosted, (divergence * (1.0000001 - p.gather(1, own)[:, 0])).mean()
