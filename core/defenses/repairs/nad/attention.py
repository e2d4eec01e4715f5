"""Attention maps, and the loss that matches a student's to its teacher's.

Zagoruyko and Komodakis, "Paying more attention to attention", ICLR 2017 (arXiv 1612.03928), as NAD
uses it: Li et al., ICLR 2021 (arXiv 2101.05930).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.feature_maps import watching
from core.optim.gradients import backward
from core.optim.objectives import Metrics, Pass


def attention(features: Tensor, p: float) -> Tensor:
    """A(F) = sum over c of abs(F_c)^p, divided by its own L2 norm over positions: (N, C, P) -> (N, P).

    It does not change when F is scaled, and for a single position it is 1, whatever F.
    """
    energy = features.float().abs().pow(p).sum(1)
    return energy / (energy.norm(dim=1, keepdim=True) + 1e-6)


@dataclass
class Distillation:
    """An objective: CE + sum over stages l of beta_l MSE(A(F_l^student), A(F_l^teacher)).

    The student's one forward pass is watched, then the teacher (in eval mode, without gradients) is
    asked about the same images. `terms` holds the last MSE of each stage.
    """

    teacher: nn.Module
    betas: dict[str, float]
    p: float
    terms: dict[str, float] = field(default_factory=dict)

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        def one_pass() -> Metrics:
            with watching(model, list(self.betas)) as (given, mine):

                def loss(logits: Tensor, labels: Tensor) -> Tensor:
                    return self.loss(logits, labels, given[0], mine)

                return {"loss": backward(model, loss, images, labels)}

        return one_pass

    def loss(self, logits: Tensor, labels: Tensor, images: Tensor, mine: dict[str, Tensor]) -> Tensor:
        """The sum of the formula, from the student's logits and maps `mine` of the images."""
        with torch.no_grad(), watching(self.teacher, list(self.betas)) as (_, theirs):
            self.teacher(images)
        total = F.cross_entropy(logits, labels)
        for name, beta in self.betas.items():
            term = F.mse_loss(attention(mine[name], self.p), attention(theirs[name], self.p))
            self.terms[name] = term.item()
            total = total + beta * term
        return total
