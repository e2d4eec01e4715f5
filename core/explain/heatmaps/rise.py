"""RISE: a pixel counts if the class is likely whenever a random mask keeps it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.device import in_batches
from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.slow import SlowExplainer
from core.knobs import knob
from core.networks.predictions import predict
from core.runs import Progress, Run

CHUNK = 50
"""Masks between two moments."""


@dataclass(frozen=True)
class RISE(SlowExplainer):
    """Randomised input sampling (Petsiuk et al., BMVC 2018, https://arxiv.org/abs/1806.07421).

    S = 1/(N p) sum_i p_y(x M_i) M_i, p_y a probability. M_i: a grid of s x s cells, each kept with probability p,
    enlarged bilinearly to (s + 1) cells and cut out at a random shift. Only answers are asked for, no gradients.
    Centred, S is less what it would be if the masks did not matter, mean(p_y) mean(M) / p, so that zero means no
    effect; S as published is positive everywhere. All pictures share the masks; their borders are repeated
    (our choice).
    """

    masks: int = knob(1000, low=10, high=20000, step=10, symbol="N", paper=4000, help="random masks", primary=True)
    cells: int = knob(7, low=2, high=32, step=1, symbol="s", help="cells of the grid along a side")
    keep: float = knob(0.5, low=0.05, high=0.95, step=0.05, symbol="p", help="probability that a cell is kept")
    centred: bool = knob(True, paper=False, help="take away what the map would be if the masks did not matter")

    def run(self, model: nn.Module, images: Tensor, targets: int | Tensor, *, seed: int = 0) -> Run[Tensor]:
        """Raw maps (N, H, W). Each moment shows the map so far, (N, 1, H, W), divided by its maximum: "map"."""
        images, classes = asked(model, images, targets)
        generator, done, size = torch.Generator().manual_seed(seed), 0, (images.shape[2], images.shape[3])
        seen = images.new_zeros(len(images), *size)
        kept, answers = images.new_zeros(size), images.new_zeros(len(images))
        while done < self.masks:
            masks = self.draw(min(CHUNK, self.masks - done), size, generator).to(images)
            shares = torch.stack([_shares(model, x, masks, int(y)) for x, y in zip(images, classes, strict=True)])
            seen += torch.einsum("nm,mhw->nhw", shares, masks)
            kept, answers, done = kept + masks.sum(0), answers + shares.sum(1), done + len(masks)
            chance = answers[:, None, None] / done * kept if self.centred else 0
            maps = (seen - chance) / (done * self.keep)
            largest = maps.amax((1, 2), keepdim=True)
            shown = (maps / largest.where(largest > 0, 1)).clamp(0, 1)[:, None]
            yield Progress("explain", done, self.masks, images={"map": shown})
        return maps

    def draw(self, n: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """n masks (n, H, W) in [0, 1]; each pixel's expectation is `keep`."""
        cell = [-(-side // self.cells) for side in size]
        grid = (torch.rand(n, 1, self.cells, self.cells, generator=generator) < self.keep).float()
        large = F.interpolate(grid, [(self.cells + 1) * c for c in cell], mode="bilinear", align_corners=False)[:, 0]
        shifts = [torch.randint(c, (n,), generator=generator).tolist() for c in cell]
        return torch.stack(
            [one[y : y + size[0], x : x + size[1]] for one, y, x in zip(large, *shifts, strict=True)]
        )  # fmt: skip


def _shares(model: nn.Module, image: Tensor, masks: Tensor, target: int) -> Tensor:
    """p_y(x M_i), (n,)."""
    return in_batches(lambda some: predict(model, image * some[:, None]).softmax(1)[:, target].to(image), masks)
