"""Adversarial training: the cross-entropy of attacked pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.layout import laid_out
from core.training.shared.crafting import crafted
from core.training.shared.robust_training import ATTACKS, RobustTraining


@dataclass(frozen=True)
class Adversarial(RobustTraining):
    """Adversarial training (Madry et al., ICLR 2018, arXiv 1706.06083), in the setting of Rice et al. (ICML 2020).

        min over w of the mean of  max over ||d|| <= eps of  CE(f(x + d), y)

    The inner maximum is sought by `attack`: PGD, of which every step is taken (`stop_early` has no effect), or a single
    step (FGSMRS, NFGSM). eps = 0 is plain training, bit for bit that of `Standard` with the same settings. A step costs
    as many passes as the attack has steps, and one more.

    After the learning rate has dropped, the robust accuracy goes on rising on the training pictures and falls on
    others: robust overfitting. `early_stop` and `weight_perturbation=AWP()` are two answers to it.
    """

    def craft(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """x', which raises the cross-entropy."""
        assert isinstance(self.attack, ATTACKS)
        return crafted(model, self.attack, images, labels, mode=self.craft_mode)

    def loss(self, model: nn.Module, images: Tensor, adversarial: Tensor, labels: Tensor) -> Tensor:
        """CE(f(x'), y)."""
        logits = model(laid_out(model, adversarial))
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
