"""Loss landscapes: the robust loss along filter-normalised directions, in one dimension or two."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.flatness.flatness import Parts
from core.flatness.robust_loss import Losses, RobustLoss
from core.flatness.weights import filter_normalised, movable, own_copy
from core.knobs import knob
from core.networks.predictions import predict
from core.optim.weight_perturbation import moved
from core.runs import Run

Place = tuple[int, ...]
"""A point of the grid: (direction, index of alpha) in one dimension, (index, index) in two."""


@dataclass(frozen=True)
class Surface:
    """The loss of M models around their weights, on the same directions.

    alphas : (A,), ascending, 0 in the middle
    loss : mean loss in nats, (M, D, A) for D one-dimensional slices, (M, A, A) for a plane; NaN where it has not been
        computed yet
    accuracy : share of the pictures that are right there, of the same shape
    fixed : the loss on the examples of alpha = 0, which nobody attacks anew: it looks flatter than the loss is
    n : pictures
    """

    alphas: Tensor
    loss: Tensor
    accuracy: Tensor
    fixed: Tensor
    n: int

    def rise(self, m: int, *, fixed: bool = False) -> float:
        """Mean loss over the points that are known, less that at alpha = 0, of model m in nats; smaller is flatter."""
        grid = (self.fixed if fixed else self.loss)[m]
        return (grid.nanmean() - self.loss[m, *self.middle]).item()

    @property
    def middle(self) -> tuple[int, int]:
        """Where alpha = 0 is."""
        middle = len(self.alphas) // 2
        return (0 if self.loss.shape[1] != len(self.alphas) else middle), middle


@dataclass(frozen=True)
class Landscape(RobustLoss):
    """Filter-normalised slices of the robust loss: Li et al., NeurIPS 2018 (https://arxiv.org/abs/1712.09913); with
    adversarial examples, Wu, Xia, Wang, NeurIPS 2020 (https://arxiv.org/abs/2004.05884).

    g(alpha) = L(w + alpha d), where every filter of the Gaussian direction d has the norm of its weights, and d is 0
    for biases and normalisation layers. The adversarial examples are found anew at every point, from the same random
    starts. The same Gaussian numbers serve all models. Points come from coarse to fine.
    """

    shape: str = knob("line", choices=("line", "plane"), help="along lines (1-D), or over a plane (2-D)", primary=True)
    points: int = knob(
        10, low=2, high=40, step=1, help="points on each side of α = 0; along each axis of a plane half as many",
        primary=True,
    )  # fmt: skip
    span: float = knob(1.0, low=0.05, high=3.0, step=0.05, help="largest α, as a share of the weights' norm")
    directions: int = knob(1, low=1, high=10, step=1, help="lines; a plane has two directions")

    def run(self, model: nn.Module, data: ImageSet, *, others: Sequence[nn.Module] = (), seed: int = 0) -> Run[Surface]:
        """The landscape of `model` and of `others`, which must be of the same architecture.

        The progress carries what has been found so far, as pictures "loss" and "fixed" of the shapes of `Surface`.
        """
        nets = [own_copy(net, data.images) for net in (model, *others)]
        _require_alike(nets)
        plane = self.shape == "plane"
        slices = [_Slices(net, 2 if plane else self.directions, seed) for net in nets]
        middle = self.points // 2 if plane else self.points
        side = 2 * middle + 1
        alphas = torch.linspace(-self.span, self.span, side)
        alphas[middle] = 0
        rows = side if plane else self.directions
        empty = torch.full((len(nets), rows, side), torch.nan)
        surface = Surface(alphas, empty, empty.clone(), empty.clone(), len(data))
        order = list(coarse_to_fine(middle, rows, plane))
        at_w: list[Losses] = []
        parts = Parts("points", len(order) * len(nets))
        for place, m in itertools.product(order, range(len(nets))):
            net, around = nets[m], slices[m]
            with moved(around.weights, around.offset(_steps(alphas, place, plane))):
                now = yield from parts.part(self.losses(net, data.pixels, data.labels, seed))
                if len(at_w) < len(nets):
                    at_w.append(now)
                labels = data.labels.to(now.loss.device)
                kept = F.cross_entropy(predict(net, at_w[m].images), labels).item()
            row = slice(None) if not plane and place[1] == middle else place[0]  # all lines meet at alpha = 0
            surface.loss[m, row, place[1]] = now.mean
            surface.accuracy[m, row, place[1]] = now.accuracy
            surface.fixed[m, row, place[1]] = kept
            told = {"rise": surface.rise(0), "reference": at_w[0].mean, "n": len(data)}
            yield parts.told(told, {"loss": surface.loss.clone(), "fixed": surface.fixed.clone()})
        return surface


@dataclass
class _Slices:
    """The directions through one network's weights."""

    net: nn.Module
    count: int
    seed: int
    weights: list[nn.Parameter] = field(init=False)
    directions: list[list[Tensor]] = field(init=False)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        self.weights = list(movable(self.net).values())
        self.directions = [filter_normalised(self.weights, generator) for _ in range(self.count)]

    def offset(self, steps: dict[int, float]) -> list[Tensor]:
        """sum_k alpha_k d_k, one tensor per weight."""
        along = [[alpha * d for d in self.directions[k]] for k, alpha in steps.items()]
        return [torch.stack(parts).sum(0) for parts in zip(*along, strict=True)]


def _steps(alphas: Tensor, place: Place, plane: bool) -> dict[int, float]:
    """How far to go along which direction."""
    if not plane:
        return {place[0]: float(alphas[place[1]])}
    return {0: float(alphas[place[0]]), 1: float(alphas[place[1]])}


def coarse_to_fine(points: int, rows: int, plane: bool) -> Iterator[Place]:
    """Every place of the grid once: the middle first, then the ends, then what lies between, ever closer.

    points : on each side of the middle; rows : lines in one dimension, which share the middle, or the plane's side
    """
    ticks = _halved(points)
    if not plane:
        yield 0, points
        yield from ((row, tick) for tick in ticks[1:] for row in range(rows))
        return
    for upto in range(len(ticks)):
        yield ticks[upto], ticks[upto]
        for other in ticks[:upto]:
            yield ticks[upto], other
            yield other, ticks[upto]


def _halved(points: int) -> list[int]:
    """0..2·points from coarse to fine, beginning with the middle."""
    order, stride = [points], points
    while len(order) < 2 * points + 1:
        ticks = range(points % stride, 2 * points + 1, stride)
        order += [tick for tick in ticks if tick not in order]
        stride = max(1, stride // 2)
    return order


def _require_alike(nets: Sequence[nn.Module]) -> None:
    """Raise ValueError where a network has weights of another shape than the first: no direction fits both."""
    shapes = [[p.shape for p in movable(net).values()] for net in nets]
    if any(other != shapes[0] for other in shapes[1:]):
        raise ValueError(
            "The models have weights of different shapes, so no direction fits them all; choose models of one "
            "architecture, width and number of classes."
        )
