"""Activeness-aware fine-tuning (Aa-FT): descend the loss and its gradient norm together.

Lin et al., NeurIPS 2024 (arXiv 2405.20291), stage 2. Neurons of backdoored models have larger
gradients; mixing in the gradient after a small step uphill penalises its norm.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from core.optim.objectives import Metrics, Pass
from core.optim.weight_perturbation import pass_at


@dataclass(frozen=True)
class GradientNormAware:
    """A weight perturbation: g = (1 - alpha) g1 + alpha g2, where g2 is the gradient at theta + r g1 / ||g1||.

    The norm is taken per parameter tensor. To first order in r, g is the gradient of
    `L + alpha r sum_p ||grad_p L||`. Both passes see the same batch with its batch statistics;
    running statistics move once per step, in the first pass (at theta). alpha = 0 or r = 0 is the
    plain gradient.
    """

    r: float
    alpha: float

    @contextmanager
    def __call__(self, model: nn.Module, one_pass: Pass) -> Iterator[Metrics]:
        metrics = one_pass()
        if self.r > 0 and self.alpha > 0:
            self._mix_in(model, one_pass)
        yield metrics

    def _mix_in(self, model: nn.Module, one_pass: Pass) -> None:
        """Put g in the place of g1."""
        held = [(parameter, parameter.grad) for parameter in model.parameters() if parameter.grad is not None]
        offsets = [self.r * g1 / (g1.norm() + 1e-12) for _, g1 in held]
        pass_at(model, one_pass, [parameter for parameter, _ in held], offsets)
        for parameter, g1 in held:
            g2 = parameter.grad
            parameter.grad = g1 if g2 is None else torch.lerp(g1, g2, self.alpha)
