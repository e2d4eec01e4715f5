"""Deletion and insertion: take away, or bring back, the pixels in a heatmap's order, and watch the probability."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.fills import filled
from core.knobs import Method, knob
from core.networks.predictions import predict
from core.runs import Progress, Run


@dataclass(frozen=True)
class Curves:
    """What the model says while pixels go or come back.

    shares : (points + 1,) of the pixels, from 0 to 1
    values : p_y (N, points + 1), float64
    """

    shares: Tensor
    values: Tensor

    @property
    def area(self) -> Tensor:
        """The area under each curve (N,), in [0, 1], by trapezoids."""
        return torch.trapezoid(self.values, self.shares)


@dataclass(frozen=True)
class _Ranked(Method):
    """Pixels change in the order of a map, `points` times equally many. What differs is where it starts and ends."""

    points: int = knob(32, low=2, high=256, step=1, help="steps of the curve; at most one per pixel")

    def run(
        self, model: nn.Module, images: Tensor, maps: Tensor, targets: int | Tensor
    ) -> Run[Curves]:
        """Curves of images (N, C, H, W) in [0, 1], by maps (N, H, W), for one class or one per image.

        Of equal values the first pixel counts as larger. Raises ValueError where maps and images differ in size.
        """
        images, classes = asked(model, images, targets)
        if maps.shape != (len(images), *images.shape[2:]):
            raise ValueError(f"A map must have its picture's size, {tuple(images.shape[2:])}, not {tuple(maps.shape)}.")
        start, end = self.ends(images)
        order = maps.flatten(1).argsort(dim=1, descending=True, stable=True)
        rank = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).to(order).expand_as(order))
        rank, pixels = rank.view(len(images), 1, *images.shape[2:]), order.shape[1]
        points = min(self.points, pixels)
        values, counts = [], [round(pixels * i / points) for i in range(points + 1)]
        for i, count in enumerate(counts):
            shares = predict(model, torch.where(rank < count, end, start)).softmax(1)
            values.append(shares.gather(1, classes[:, None])[:, 0].double())
            yield Progress("curve", i + 1, points + 1)
        return Curves(torch.tensor(counts, dtype=torch.float64) / pixels, torch.stack(values, 1).cpu())

    def ends(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures at the start, and those at the end."""
        raise NotImplementedError


@dataclass(frozen=True)
class Deletion(_Ranked):
    """Deletion (Petsiuk et al., BMVC 2018, https://arxiv.org/abs/1806.07421): the most important pixels go first.

    A good map makes p_y fall early: a **smaller** area is better. What is left is a picture that the model never saw,
    so the order of methods depends on the fill.
    """

    fill: str = knob("black", choices=("black", "mean"), help="what stands where pixels are taken away")

    def ends(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, filled(images, self.fill)


@dataclass(frozen=True)
class Insertion(_Ranked):
    """Insertion (Petsiuk et al., BMVC 2018, https://arxiv.org/abs/1806.07421): into a blurred picture, the most
    important pixels first.

    A good map makes p_y rise early: a **larger** area is better. A blur that still shows the class, as it can at 32
    pixels, leaves nothing to insert: look at where the curve begins.
    """

    def ends(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return filled(images, "blur"), images
