"""Worst-case robust flatness: weights and pictures are attacked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks.shared.problem import Problem, prepare
from core.data.imageset import ImageSet
from core.device import autocast, device_of
from core.flatness.flatness import Flatness, Parts
from core.flatness.robust_loss import RobustLoss, judged
from core.flatness.weights import lengths, movable, on_spheres, own_copy
from core.knobs import knob
from core.networks.layout import laid_out
from core.optim.weight_perturbation import moved
from core.runs import Progress, Run

BATCH = 128
"""Pictures whose gradient moves the weights once."""


@dataclass(frozen=True)
class WorstFlatness(RobustLoss):
    """Worst-case robust flatness (Stutz, Hein, Schiele, ICCV 2021, https://arxiv.org/abs/2104.04448).

    F = max over v of L(w + v) - L(w) with ||v_l||_2 <= xi ||w_l||_2 per parameter tensor, normalisation layers left
    alone. v and the change d_i of each picture climb together: for every batch one gradient of the mean
    cross-entropy at (w + v, x + d), then v_l += eta ||w_l|| g_l / ||g_l|| and d += alpha sign(g), each projected.
    `steps` is the number of passes over the pictures; d is kept from pass to pass. The loss is that of a fresh
    forward pass at the last (v, d). The best of `restarts` counts, so more of them never lower the value. As the
    reference L(w) is the best of PGD's iterates and this is a last one, a very small ball may give a value below 0.
    """

    xi: float = knob(
        0.003, low=0.0, high=0.5, step=0.001, symbol="ξ", help="radius of the ball, as a share of each tensor's norm",
        primary=True,
    )  # fmt: skip
    restarts: int = knob(
        3, low=1, high=20, step=1, symbol="R", paper=10, help="tries, of which the worst counts", primary=True
    )
    weight_step: float = knob(
        0.01, low=0.0, high=1.0, symbol="η", help="length of a step of the weights, as a share of each tensor's norm"
    )

    def run(self, model: nn.Module, data: ImageSet, *, seed: int = 0) -> Run[Flatness]:
        """Measure `model` on `data`, whose labels it must know; `seed` draws all starts."""
        net, images, labels = own_copy(model, data.images), data.pixels, data.labels
        weights, parts = list(movable(net).values()), Parts("restarts", 1 + self.restarts)
        at_w = yield from parts.part(self.losses(net, images, labels, seed))
        problem, generator = prepare(net, images, labels, None, None), torch.Generator().manual_seed(seed)
        rises: list[float] = []
        for _ in range(self.restarts):
            loss = yield from parts.part(self._climb(net, weights, problem, generator))
            rises.append(loss - at_w.mean)
            yield parts.told({"flatness": max(rises), "reference": at_w.mean, "n": len(data)})
        return Flatness(max(rises), at_w.mean, at_w.accuracy, tuple(rises), len(data))

    def _climb(
        self, net: nn.Module, weights: Sequence[nn.Parameter], problem: Problem, generator: torch.Generator
    ) -> Run[float]:
        """One try: the mean loss at the last weights and pictures."""
        sizes = lengths(weights)
        first = torch.rand(len(weights), generator=generator).tolist()
        offsets = on_spheres(weights, [self.xi * r * size for r, size in zip(first, sizes, strict=True)], generator)
        attacked = self.attack.start(problem.images, generator=generator) if self.loss == "robust" else problem.images
        chunks = [slice(start, start + BATCH) for start in range(0, len(problem), BATCH)]
        for step in range(1, self.steps + 1):
            for number, chunk in enumerate(chunks, start=1):
                with moved(weights, offsets):
                    slopes, slope = _gradients(net, weights, attacked[chunk], problem[chunk].labels)
                offsets = [
                    ball(offset + self.weight_step * size * g / g.norm().clamp_min(1e-20), self.xi * size)
                    for offset, g, size in zip(offsets, slopes, sizes, strict=True)
                ]
                if self.loss == "robust":
                    attacked[chunk] = self.attack.step(attacked[chunk], slope, problem.images[chunk])
                yield Progress("climb", (step - 1) * len(chunks) + number, self.steps * len(chunks))
        with moved(weights, offsets):
            return judged(net, problem, attacked).mean


def ball(offset: Tensor, radius: float) -> Tensor:
    """The nearest point with ||offset||_2 <= radius."""
    return offset * (radius / offset.norm().clamp_min(1e-20)).clamp_max(1)


def _gradients(
    net: nn.Module, weights: Sequence[nn.Parameter], images: Tensor, labels: Tensor
) -> tuple[list[Tensor], Tensor]:
    """Gradients of the summed cross-entropy with respect to the weights and to the images, at the same point."""
    x = laid_out(net, images).detach().requires_grad_(True)
    for weight in weights:
        weight.requires_grad_(True)
    try:
        with torch.enable_grad(), autocast(device_of(net)):
            loss = F.cross_entropy(net(x), labels, reduction="sum")  # lengths are set afterwards
        *slopes, slope = torch.autograd.grad(loss, [*weights, x], materialize_grads=True)
    finally:
        for weight in weights:
            weight.requires_grad_(False)
    return slopes, slope
