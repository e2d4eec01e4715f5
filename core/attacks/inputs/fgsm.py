"""FGSM: one step along the sign of the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.attacks.shared.chunks import in_chunks, joined
from core.attacks.shared.preview import PreviewRecorder
from core.attacks.shared.problem import Problem, gradient, measured, prepare, trace
from core.knobs import Method, knob
from core.runs import Progress, Run


@dataclass(frozen=True)
class FGSM(Method):
    """Fast gradient sign method (Goodfellow, Shlens, Szegedy, ICLR 2015, https://arxiv.org/abs/1412.6572).

    adv = clamp(x + eps · sign(grad_x CE(f(x), y)), 0, 1); with a target the sign is reversed.
    Pixels whose gradient is exactly zero do not move: few moved pixels mean vanishing gradients,
    not robustness. Two forward passes per image.
    """

    eps: float = knob(
        8 / 255, low=0.0, high=1.0, step=1 / 255, symbol="ε", help="largest change of a pixel, range 0-1", primary=True
    )

    def run(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        target: int | Tensor | None = None,
        mask: Tensor | None = None,
        seed: int = 0,
    ) -> Run[Adversarial]:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,).

        target : None to leave the label, else the class (or classes (N,)) to reach
        mask : bool (N or 1, H, W), where pixels may change
        seed : not used, FGSM draws nothing
        """
        problem = prepare(model, images, labels, target, mask)
        return joined((yield from in_chunks(lambda part: self._step(model, problem[part]), model, problem.images)))

    def _step(self, model: nn.Module, part: Problem) -> Run[Adversarial]:
        logits, slope = gradient(model, part.images, part.loss)
        adversarial = (part.images + self.eps * part.allowed(slope).sign()).clamp(0, 1)
        numbers = trace(part, logits, success=part.solved(logits).float().mean())
        pictures, factor = PreviewRecorder()(part.images, adversarial)
        yield Progress("attack", 1, 1, numbers | factor, pictures)
        once = torch.ones_like(part.labels)
        return measured(model, part, adversarial, once, 2 * once)
