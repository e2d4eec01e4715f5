"""Scenes: generated pictures whose every cause is known.

One of ten objects lies on a textured background. The class is the object's shape; position, size,
turn, colours, textures, light and noise vary freely, so that a network has to learn the shape.
Masks of the object and the index of every cause come with each picture. Nothing is downloaded.

Pictures are made in chunks of 1,000, each from its own seed: a prefix of a split is the same
whether 10 or 10,000 pictures are asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.shapes import SHAPES, signed_distance
from core.data.textures import TEXTURES, pattern
from core.knobs import Method, knob

COLOURS = {
    "red": (0.86, 0.22, 0.20), "orange": (0.93, 0.55, 0.15), "yellow": (0.92, 0.84, 0.25), "green": (0.25, 0.64, 0.30),
    "cyan": (0.25, 0.72, 0.76), "blue": (0.22, 0.36, 0.80), "purple": (0.55, 0.28, 0.68), "grey": (0.55, 0.55, 0.55),
}  # fmt: skip
CAUSES = {
    "texture": TEXTURES, "colour": tuple(COLOURS), "background": TEXTURES, "background_colour": tuple(COLOURS),
}  # fmt: skip
"""What the indices of each concept stand for."""
SPLITS = {"train": 20_000, "heldout": 2_000, "test": 2_000}
CHUNK = 1_000
WHOLE, OBJECT, BACKGROUND = "whole", "object", "background"
PLAIN = 0.5
"""The grey that an object stands on when it is shown alone."""


@dataclass(frozen=True)
class Scenes(Method):
    """Ten shapes on textured backgrounds, `size` pixels wide.

    `bias` is the share of pictures whose background kind and colour are tied to the class, which
    tempts a network to look at the background. Concepts: "texture", "colour", "background" and
    "background_colour", each an index per picture into TEXTURES or COLOURS.
    """

    size: int = knob(32, low=16, high=128, step=16, help="width and height in pixels")
    bias: float = knob(0.0, low=0.0, high=1.0, step=0.05, help="share of pictures whose background follows the class")
    texture: float = knob(1.0, low=0.0, high=2.0, step=0.1, help="contrast of the textures (0 = plain surfaces)")
    noise: float = knob(0.07, low=0.0, high=0.5, step=0.01, help="standard deviation of the pixel noise")

    def load(self, split: str, limit: int | None = None, seed: int = 0, *, show: str = WHOLE) -> ImageSet:
        """The first `limit` pictures of "train" (20,000), "heldout" (2,000) or "test" (2,000).

        "defender" is a 5 % share of train, another one for each `seed`. `show` leaves a part out: "object" stands on
        plain grey, "background" has no object; its mask says where that would be.
        """
        if split == "defender":
            chunks = [("train", seed % (SPLITS["train"] // CHUNK))]
        elif split in SPLITS:
            n = SPLITS[split] if limit is None else min(limit, SPLITS[split])
            chunks = [(split, chunk) for chunk in range(max(1, math.ceil(n / CHUNK)))]
        else:
            raise ValueError(f"Scenes has no split {split!r}; choose train, heldout, test or defender.")
        images, labels, masks, concepts = zip(
            *(self._chunk(name, chunk, show) for name, chunk in chunks), strict=True
        )
        causes = {name: torch.cat([one[name] for one in concepts]) for name in concepts[0]}
        origin = f"{self!r}, {split}" if show == WHOLE else f"{self!r}, {split}, {show}"
        everything = ImageSet(torch.cat(images), torch.cat(labels), tuple(SHAPES), torch.cat(masks), causes, origin)
        return everything if limit is None else everything[:limit]

    def _chunk(self, split: str, chunk: int, show: str) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """Images uint8, labels, masks and concepts of one chunk of 1,000."""
        generator = torch.Generator().manual_seed(1_000_003 * list(SPLITS).index(split) + chunk)
        labels = torch.randint(len(SHAPES), (CHUNK,), generator=generator)
        concepts = self._causes(labels, generator)
        grid = torch.linspace(-1, 1, self.size)
        y, x = torch.meshgrid(grid, grid, indexing="ij")
        coverage = _objects(labels, x, y, self.size, generator)
        surface = _surface(concepts["texture"], concepts["colour"], x, y, self.texture, generator)
        ground = _surface(concepts["background"], concepts["background_colour"], x, y, self.texture, generator)
        ground = ground * (0.75 + 0.5 * _clouds(self.size, generator))
        # An object that is nowhere quite opaque keeps some pictures hard.
        opacity = torch.empty(CHUNK, 1, 1, 1).uniform_(0.6, 1.0, generator=generator) * coverage[:, None]
        if show == OBJECT:
            ground = torch.full_like(ground, PLAIN)
        if show == BACKGROUND:
            opacity = torch.zeros_like(opacity)
        light = torch.empty(CHUNK, 1, 1, 1).uniform_(0.7, 1.15, generator=generator)
        images = light * torch.lerp(ground, surface, opacity)
        images = images + self.noise * torch.randn(images.shape, generator=generator)
        return (images.clamp(0, 1) * 255).round().to(torch.uint8), labels, coverage > 0.5, concepts

    def _causes(self, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        def draw(n: int) -> Tensor:
            return torch.randint(n, labels.shape, generator=generator)

        tied = torch.rand(labels.shape, generator=generator) < self.bias
        background_colour = torch.where(tied, labels % len(COLOURS), draw(len(COLOURS)))
        apart = 1 + draw(len(COLOURS) - 1)  # never the background's own colour
        return {
            "texture": draw(len(TEXTURES)),
            "colour": (background_colour + apart) % len(COLOURS),
            "background": torch.where(tied, labels % len(TEXTURES), draw(len(TEXTURES))),
            "background_colour": background_colour,
        }



GENERATED = {"scenes": Scenes(), "scenes-biased": Scenes(bias=0.95)}
"""The generated sets that have a name."""


def generated(data: object) -> Scenes | None:
    """The `Scenes` that a name means, or that `data` is; None for data that have to be fetched."""
    return data if isinstance(data, Scenes) else GENERATED.get(str(data))


def _objects(labels: Tensor, x: Tensor, y: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """How much of each pixel the object covers, (N, H, W) in [0, 1]."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(len(labels), 1, 1).uniform_(low, high, generator=generator)

    scale, turn = uniform(0.42, 0.78), uniform(-0.6, 0.6)
    dx, dy = x - uniform(-0.3, 0.3), y - uniform(-0.3, 0.3)
    u = (turn.cos() * dx + turn.sin() * dy) / scale
    v = (turn.cos() * dy - turn.sin() * dx) / scale
    distance = torch.empty_like(u)
    for label in range(len(SHAPES)):
        chosen = labels == label
        distance[chosen] = signed_distance(label, u[chosen], v[chosen])
    return torch.sigmoid(-distance * scale * size)  # an edge about one pixel wide


def _surface(
    kinds: Tensor, colours: Tensor, x: Tensor, y: Tensor, contrast: float, generator: torch.Generator
) -> Tensor:
    """A coloured, textured surface (N, 3, H, W) filling the picture."""
    palette = torch.tensor(list(COLOURS.values()))[colours][:, :, None, None]
    palette = palette + 0.08 * torch.randn(palette.shape, generator=generator)
    return palette + 0.17 * contrast * pattern(kinds, x, y, generator)[:, None]


def _clouds(size: int, generator: torch.Generator) -> Tensor:
    """Smooth light and shade (N, 1, H, W), about [0, 1]."""
    coarse = torch.rand(CHUNK, 1, 4, 4, generator=generator)
    return F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
