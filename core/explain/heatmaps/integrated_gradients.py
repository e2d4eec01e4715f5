"""Integrated Gradients: the gradient, accumulated along a path from a baseline to the picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from core.explain.heatmaps.fills import FILLS, filled
from core.explain.heatmaps.slow import OneByOne
from core.knobs import knob

CHUNK = 32
"""Points of the path in one pass; captum would take all of them at once."""


@dataclass(frozen=True)
class IntegratedGradients(OneByOne):
    """Integrated Gradients (Sundararajan et al., ICML 2017, https://arxiv.org/abs/1703.01365), through captum.

    IG = (x - x') int_0^1 grad f_y(x' + t (x - x')) dt, in logits, by Gauss-Legendre; summed over the colours. The map
    sums to f_y(x) - f_y(x'), as far as the steps go. Where picture and baseline agree it is zero: black pixels against
    a black baseline.
    """

    steps: int = knob(50, low=1, high=500, step=1, help="points on the path; more of them make the sum exact")
    baseline: str = knob("black", choices=FILLS, symbol="x'", help="where the path begins")

    def one(self, model: nn.Module, image: Tensor, target: int, seed: int) -> Tensor:
        from captum.attr import IntegratedGradients as Captum

        start = filled(image, self.baseline)
        found = Captum(model).attribute(
            image.requires_grad_(), start, target=target, n_steps=self.steps, internal_batch_size=CHUNK
        )
        return found[0].sum(0)
