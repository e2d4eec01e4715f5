"""Average-case robust flatness: random weight perturbations, each attacked anew."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.flatness.flatness import Flatness, Parts
from core.flatness.robust_loss import RobustLoss
from core.flatness.weights import lengths, movable, on_spheres, own_copy
from core.knobs import knob
from core.optim.weight_perturbation import moved
from core.runs import Run


@dataclass(frozen=True)
class AverageFlatness(RobustLoss):
    """Average-case robust flatness (Stutz, Hein, Schiele, ICCV 2021, https://arxiv.org/abs/2104.04448).

    F = E_v [L(w + v)] - L(w), where L is the robust loss (`RobustLoss`) and v is uniform on the spheres
    ||v_l||_2 = xi ||w_l||_2, one per parameter tensor; scale and shift of normalisation layers stay. The
    adversarial examples are found anew for every v, with the same random starts as at w, so that xi = 0 gives
    exactly 0. In nats, larger is sharper. `loss = clean` is the clean flatness.
    """

    xi: float = knob(
        0.5, low=0.0, high=2.0, step=0.05, symbol="ξ", help="radius of the ball, as a share of each tensor's norm",
        primary=True,
    )  # fmt: skip
    draws: int = knob(10, low=1, high=100, step=1, help="random perturbations of the weights", primary=True)
    tries: int = knob(1, low=1, high=10, step=1, symbol="R", help="random starts of each attack, here and at w")

    def run(
        self, model: nn.Module, data: ImageSet, *, seed: int = 0, radii: Sequence[float] | None = None
    ) -> Run[Flatness]:
        """Measure `model` on `data`, whose labels it must know.

        seed : draws the perturbations and the random starts
        radii : the spheres' radii in place of xi ||w_l||_2, one per tensor of `weights.movable(model)`: an absolute
            measure, which is not invariant to the scale of the layers
        """
        net, images, labels = own_copy(model, data.images), data.pixels, data.labels
        weights = list(movable(net).values())
        sizes = [self.xi * length for length in lengths(weights)] if radii is None else list(radii)
        generator, parts = torch.Generator().manual_seed(seed), Parts("draws", 1 + self.draws)
        at_w = yield from parts.part(self.losses(net, images, labels, seed, self.tries))
        rises: list[float] = []
        for _ in range(self.draws):
            with moved(weights, on_spheres(weights, sizes, generator)):
                found = yield from parts.part(self.losses(net, images, labels, seed, self.tries))
            rises.append(found.mean - at_w.mean)
            now = {"flatness": statistics.fmean(rises), "reference": at_w.mean, "n": len(data)}
            yield parts.told(now)
        return Flatness(statistics.fmean(rises), at_w.mean, at_w.accuracy, tuple(rises), len(data))
