"""FGSM: one step along the sign of the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.budgeted import Budgeted
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradient, measured, trace
from core.knobs import knob
from core.runs import Progress, Run


@dataclass(frozen=True)
class FGSM(Budgeted):
    """Fast gradient sign method (Goodfellow, Shlens, Szegedy, ICLR 2015, https://arxiv.org/abs/1412.6572).

    adv = clamp(x + eps · sign(grad_x CE(f(x), y)), 0, 1); with a target the sign is reversed.
    Pixels whose gradient is exactly zero do not move: few moved pixels mean vanishing gradients,
    not robustness. Two forward passes per image.
    """

    eps: float = knob(
        8 / 255, low=0.0, high=1.0, step=1 / 255, symbol="ε", help="largest change of a pixel, range 0-1", primary=True
    )

    def attack(self, model: nn.Module, part: Problem, generator: torch.Generator) -> Run[Adversarial]:
        """The one step, and a pass that judges it; nothing is drawn."""
        logits, slope = gradient(model, part.images, part.loss)
        adversarial = (part.images + part.eps * part.allowed(slope).sign()).clamp(0, 1)
        numbers = trace(part, logits, success=part.solved(logits).float().mean())
        pictures, factor = PreviewRecorder()(part.images, adversarial)
        yield Progress("attack", 1, 1, numbers | factor, pictures)
        once = torch.ones_like(part.labels)
        return measured(model, part, adversarial, once, 2 * once)
