"""PatchCore: the distance to the nearest of a few remembered patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.anomaly.baselines.patch_features import PatchFeatures, PatchModel, all_features, require_backbone
from core.anomaly.shared.outlier_model import check_pictures
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Progress, Run

EVERY = 50
"""Patches of the bank that are chosen between two moments of progress."""


class Bank(PatchModel):
    """Remembered patches (m, q). A picture's score is the distance s* of its strangest patch, times 1 - softmax over
    the distances to the k neighbours, in the bank, of the remembered patch that is nearest to it; k = 1 skips that.
    """

    patches: Tensor

    def __init__(self, shape: tuple[int, ...], features: PatchFeatures, neighbours: int):
        super().__init__(shape, features)
        self.neighbours = neighbours

    def distances(self, features: Tensor) -> Tensor:
        return distances(features.flatten(0, 2), self.patches).amin(1).view(features.shape[:3])

    def places(self, pixels: Tensor) -> Tensor:
        return self.distances(around(self.features(pixels)))

    def strangeness(self, pixels: Tensor) -> Tensor:
        features = around(self.features(pixels)).flatten(1, 2)
        each = self.distances(features[:, :, None])[..., 0]
        furthest = features[torch.arange(len(features)), each.argmax(1)]
        return each.amax(1) * reweighted(furthest, self.patches, self.neighbours)


def distances(points: Tensor, bank: Tensor) -> Tensor:
    """Euclidean distances (N, m) of points (N, q) from a bank (m, q), by |a|^2 - 2ab + |b|^2, clamped at 0."""
    squared = points.square().sum(1)[:, None] - 2 * points @ bank.T + bank.square().sum(1)
    return squared.clamp_min(0).sqrt()


def reweighted(points: Tensor, bank: Tensor, k: int) -> Tensor:
    """1 - softmax of s* among the distances to the k neighbours of each point's nearest remembered patch, (N,)."""
    if k == 1:
        return torch.ones(len(points), device=points.device)
    nearest = bank[distances(points, bank).argmin(1)]
    index = distances(nearest, bank).topk(min(k, len(bank)), largest=False).indices  # the patch itself is the first
    around_it = (points[:, None] - bank[index]).norm(dim=2)
    return 1 - around_it.softmax(1)[:, 0]


def around(features: Tensor) -> Tensor:
    """Features (B, h, w, q), each the mean of its 3 x 3 surroundings."""
    return F.avg_pool2d(features.permute(0, 3, 1, 2), 3, 1, 1, count_include_pad=False).permute(0, 2, 3, 1)


def coreset(points: Tensor, m: int, generator: torch.Generator) -> Run[Tensor]:
    """m indices of points (N, q), each the one that lies furthest from those before: k-centre-greedy."""
    chosen = torch.empty(m, dtype=torch.int64, device=points.device)  # there, so that no step waits for the device
    chosen[0] = torch.randint(len(points), (), generator=generator)
    nearest = distances(points, points[chosen[:1]])[:, 0]
    for place in range(1, m):
        chosen[place] = nearest.argmax()
        nearest = torch.minimum(nearest, distances(points, points[chosen[place : place + 1]])[:, 0])
        if place % EVERY == 0:
            yield Progress("coreset", place, m)
    return chosen


@dataclass(frozen=True)
class PatchCore(Method):
    """Roth et al., CVPR 2022 (arXiv 2106.08265): remember a well-spread part of the training pictures' patches, which
    are a trained network's features at each place with their surroundings; a picture is as strange as its patch that
    lies furthest from them.

    An outlier among the training pictures is remembered like all others, and even sought: it lies far from them.
    """

    BACKBONE: ClassVar[bool] = True
    """It asks for a trained network."""
    patches: int = knob(400, low=10, high=10_000, step=10, primary=True, help="that are remembered")
    pool: int = knob(10_000, low=100, high=200_000, step=100, help="patches, drawn at random, among which they are")
    neighbours: int = knob(9, low=1, high=50, step=1, paper=9, symbol="k", help="by which the score is reweighted")

    def run(self, train: ImageSet, *, seed: int = 0, backbone: nn.Module | None = None) -> Run[Bank]:
        """Fit to pictures of any shape, as `PaDiM.run`."""
        check_pictures("PatchCore", train)
        net = require_backbone("PatchCore", backbone)
        yield Progress("features", 1, 2)
        with torch.no_grad():
            features = PatchFeatures(net, train[:1].pixels)
        model = Bank(tuple(train.images.shape[1:]), features, self.neighbours)
        generator = torch.Generator().manual_seed(seed)
        every = around(all_features(model, train)).flatten(0, 2)
        pool = every[torch.randperm(len(every), generator=generator)[: self.pool].to(every.device)]
        yield Progress("features", 2, 2)
        index = yield from coreset(pool, min(self.patches, len(pool)), generator)
        model.register_buffer("patches", pool[index])
        model.calibrate(train.images)
        return model
