"""Pictures with a concept and without, in parts that never mix: to learn from, to place the threshold, to test on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.data.imageset import ImageSet

FEWEST = 10
"""Pictures with, and without, that can be divided."""
TRAIN, VALIDATION = 0.5, 0.1
"""Shares; what is left is tested on."""


@dataclass(frozen=True)
class Part:
    """Indices of the pictures with the concept, and of those without it."""

    concept: Tensor
    random: Tensor


@dataclass(frozen=True)
class Examples:
    """All pictures of a run, and which is used for what.

    images : uint8 (N, C, H, W)
    origin : int64 (N,), index in the data; -1 for a picture that was brought as an example of the concept
    train, validation, test : disjoint
    """

    images: Tensor
    origin: Tensor
    train: Part
    validation: Part
    test: Part

    @property
    def tested(self) -> Tensor:
        """Indices of the pictures that are tested on, those with the concept first."""
        return torch.cat([self.test.concept, self.test.random])

    @property
    def tested_concept(self) -> Tensor:
        """Which of `tested` hold the concept."""
        return torch.arange(len(self.test.concept) + len(self.test.random)) < len(self.test.concept)


def divide(data: ImageSet, concept: Tensor | ImageSet, most: int, seed: int) -> Examples:
    """Half of the pictures of each kind to learn from (of the concept at most `most`), a tenth to place the threshold.

    concept : bool (N,) over `data`, or examples from elsewhere; the random pictures are then all of `data` but those
        that are examples themselves
    """
    if isinstance(concept, ImageSet):
        images, origin, holds = _joined(data, concept)
    else:
        if concept.dtype != torch.bool or concept.shape != (len(data),):
            raise ValueError(
                f"concept must be bool ({len(data)},), one per picture, or an ImageSet of examples, not "
                f"{concept.dtype} {tuple(concept.shape)}."
            )
        images, origin, holds = data.images, torch.arange(len(data)), concept.cpu()
    generator = torch.Generator().manual_seed(seed)
    with_it, without = (_shuffled(torch.nonzero(each)[:, 0], generator) for each in (holds, ~holds))
    _require(len(with_it), len(without))
    # Half of the random pictures are left when a random concept of the same size is taken out.
    most = max(1, min(most, int(TRAIN * len(with_it)), int(TRAIN * len(without)) // 2))
    parts = zip(_parts(with_it, most), _parts(without, int(TRAIN * len(without))), strict=True)
    return Examples(images, origin, *(Part(*part) for part in parts))


def _joined(data: ImageSet, examples: ImageSet) -> tuple[Tensor, Tensor, Tensor]:
    """Examples, then data without them: images, origin, and whether each is an example."""
    if examples.images.shape[1:] != data.images.shape[1:]:
        raise ValueError(
            f"The concept's pictures are {tuple(examples.images.shape[1:])} and the data's "
            f"{tuple(data.images.shape[1:])}; bring them to one size."
        )
    shown = {picture.numpy().tobytes() for picture in examples.images.cpu()}
    other = [i for i, picture in enumerate(data.images.cpu()) if picture.numpy().tobytes() not in shown]
    index = torch.tensor(other, dtype=torch.int64)
    images = torch.cat([examples.images.to(data.images.device), data.images[index.to(data.images.device)]])
    holds = torch.arange(len(images)) < len(examples)
    return images, torch.cat([torch.full((len(examples),), -1), index]), holds


def _require(with_it: int, without: int) -> None:
    for n, what in ((with_it, "with the concept"), (without, "without it")):
        if n < FEWEST:
            counted = "is 1 picture" if n == 1 else f"are {n} pictures"
            raise ValueError(
                f"There {counted} {what}; give at least {FEWEST} with and {FEWEST} without it, as some are learned "
                "from and others tested on."
            )


def _shuffled(index: Tensor, generator: torch.Generator) -> Tensor:
    return index[torch.randperm(len(index), generator=generator)]


def _parts(index: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor]:
    second = max(1, int(VALIDATION * len(index)))
    return index[:first], index[first : first + second], index[first + second :]
