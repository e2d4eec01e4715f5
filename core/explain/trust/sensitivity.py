"""Max-sensitivity: how much a heatmap changes when the picture moves a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.slow import explained
from core.knobs import Method, knob
from core.runs import Run, part


@dataclass(frozen=True)
class MaxSensitivity(Method):
    """Max-sensitivity (Yeh et al., NeurIPS 2019, https://arxiv.org/abs/1901.09392); lower is better.

    max_d ||F(x + d) - F(x)||_2 / ||F(x)||_2 over random d with |d|_inf <= radius: a lower bound of the true maximum.
    Pixels may leave [0, 1] in the paper; here they are cut off, since models take no others. NaN where F(x) = 0.
    """

    radius: float = knob(0.02, low=0.0, high=1.0, step=0.01, symbol="r", help="largest change of a pixel")
    draws: int = knob(10, low=1, high=200, step=1, help="random changes")

    def run(
        self,
        model: nn.Module,
        images: Tensor,
        targets: int | Tensor,
        explainer: Any,
        *,
        maps: Tensor | None = None,
        seed: int = 0,
    ) -> Run[Tensor]:
        """Of each picture, (N,) float64; every map is of the same classes, and draws with the same seed.

        maps : F(x) (N, H, W), where it is known already
        """
        images, classes = asked(model, images, targets)
        generator = torch.Generator().manual_seed(seed)
        unknown = int(maps is None)
        if maps is None:
            run = explained(explainer, model, images, classes, seed)
            maps = yield from part(run, "sensitivity", 0, self.draws + 1)
        still = maps.to(images.device, torch.float64).flatten(1)
        largest = torch.zeros(len(images), dtype=torch.float64, device=images.device)
        for draw in range(self.draws):
            change = self.radius * (2 * torch.rand(images.shape, generator=generator) - 1)
            moved = (images + change.to(images)).clamp(0, 1)
            run = explained(explainer, model, moved, classes, seed)
            other = yield from part(run, "sensitivity", draw + unknown, self.draws + unknown)
            largest = torch.maximum(largest, (other.double().flatten(1) - still).norm(dim=1))
        size = still.norm(dim=1)
        return (largest / size).where(size > 0, torch.nan).cpu()
