"""Training pictures of which a few are outliers, kept apart from them which, and pictures to test on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.suspects import mask

NORMAL, OBSERVED, UNOBSERVED = range(3)
"""Kinds of test pictures: normal; outliers of the kind that the training pictures hold; outliers of other kinds."""


def contaminated(normal: ImageSet, outliers: ImageSet, share: float, *, seed: int = 0) -> tuple[ImageSet, Tensor]:
    """The normal pictures and as many outliers, drawn by `seed`, as make `share` of the whole; and truth bool (N,).

    They lie in an order that tells nothing, and all labels are 0. Raises ValueError in one sentence for a share that
    is negative or one half and more, and where there are too few outliers.
    """
    if not 0 <= share < 0.5:
        raise ValueError(
            f"A contamination of {share:g} is not in [0, 0.5): from one half on, the outliers would be the rule."
        )
    wanted = round(share / (1 - share) * len(normal))
    if wanted > len(outliers):
        raise ValueError(
            f"{100 * share:g} % of the training pictures are to be outliers, {wanted} beside {len(normal)} normal "
            f"ones, and there are {len(outliers)}; choose a smaller contamination, or fewer pictures."
        )
    both = joined([normal, outliers.sample(wanted, seed)])
    order = torch.randperm(len(both), generator=torch.Generator().manual_seed(seed))
    truth = mask(torch.arange(len(normal), len(both)), len(both))
    return both[order.to(both.images.device)], truth[order]


def joined(parts: Sequence[ImageSet]) -> ImageSet:
    """Pictures of several sets as one without labels; with one channel where all of them are grey."""
    shapes = {tuple(part.images.shape[1:]) for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"Pictures of one size are needed, and these have {' and '.join(map(str, sorted(shapes)))}.")
    images = torch.cat([part.images for part in parts])
    zero = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    return ImageSet(images, zero, ("pictures",), origin=parts[0].origin)


def judged(normal: ImageSet, observed: ImageSet, unobserved: ImageSet) -> tuple[ImageSet, Tensor]:
    """Test pictures, and of which of the kinds above each is, int64 (M,)."""
    parts = [normal, observed, unobserved]
    return joined(parts), torch.cat([torch.full((len(part),), kind) for kind, part in enumerate(parts)])


def channels(*sets: ImageSet) -> list[ImageSet]:
    """The sets with one channel where all pictures of all of them are grey, else as they are."""
    grey = all(bool((part.images == part.images[:, :1]).all()) for part in sets)
    return [dataclasses.replace(part, images=part.images[:, :1]) for part in sets] if grey else list(sets)
