"""The stream of a training's batches: shuffled, augmented, without end.

Steps, not epochs: with a thousand clean images an epoch is a handful of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.optim.augment import flip_and_shift

Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Images (N, C, H, W) in [0, 1] and labels of a batch -> the same, changed: a poisoning, a mix."""


def batches(
    data: ImageSet,
    size: int,
    generator: torch.Generator,
    *,
    flip: bool,
    pad: int,
    shuffle: bool = True,
    before: Transform | None = None,
    after: Transform | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented batches (float images in [0, 1], labels) without end, drawn by `generator`.

    A new order every epoch; images that do not fill the last batch of an epoch wait for the next.
    Fewer images than `size` make one batch of all. `before` and `after` change a batch before and
    after it is flipped and shifted.
    """
    size = min(size, len(data))
    while True:
        order = torch.randperm(len(data), generator=generator) if shuffle else torch.arange(len(data))
        for index in order[: len(data) // size * size].split(size):
            index = index.to(data.images.device)
            images, labels = data.images[index].float().div_(255), data.labels[index]
            if before is not None:
                images, labels = before(images, labels)
            images = flip_and_shift(images, generator, flip=flip, pad=pad)
            yield (images, labels) if after is None else after(images, labels)


def steps_per_epoch(data: ImageSet, size: int) -> int:
    """How many batches of `batches` make an epoch: those that are full, 0 without images."""
    return len(data) // max(1, min(size, len(data)))
