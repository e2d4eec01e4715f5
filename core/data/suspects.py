"""Suspects for a detector: images of which some carry a trigger, and, kept apart from them, which do."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ONE, Trigger, goal, keeps_labels, stamped, trigger_per_class

if TYPE_CHECKING:
    from core.triggers.poison import Poison


def inputs(
    test: ImageSet, trigger: Trigger, *, target: int | None = None, mode: str = ALL_TO_ONE, seed: int = 0
) -> tuple[ImageSet, Tensor]:
    """Inputs of a model in use: `test` with the trigger on half of its images, and truth bool (N,).

    Stamped, drawn by `seed`, are images whose own class is not the one that the trigger leads to,
    as ASR counts them, stored as uint8. Nobody labels inputs: all labels are 0.
    """
    aimed = torch.ones(len(test), dtype=torch.bool)
    targets = None
    if trigger_per_class(mode):
        targets = torch.full_like(test.labels, target or 0)
    else:
        aimed = (goal(test.labels, mode, target, len(test.class_names)) != test.labels).cpu()
    candidates = torch.nonzero(aimed)[:, 0]
    order = torch.randperm(len(candidates), generator=torch.Generator().manual_seed(seed))
    chosen = candidates[order[: len(test) // 2]]
    index, images = chosen.to(test.images.device), test.images.clone()
    triggered = stamped(trigger, test[index], None if targets is None else targets[index])
    images[index] = (triggered * 255).round().to(torch.uint8)
    return dataclasses.replace(test, images=images, labels=torch.zeros_like(test.labels)), mask(chosen, len(test))


def training(train: ImageSet, poison: Poison, *, seed: int = 0) -> tuple[ImageSet, Tensor]:
    """A training set poisoned by `poison`, with the labels it was given, and truth bool (N,).

    Raises ValueError for the modes any-to-any and any-to-one.
    """
    if keeps_labels(poison.mode):
        raise ValueError(
            f"A backdoor of mode {poison.mode} is stamped anew in every batch and changes no label, so there is no "
            "poisoned training set to search; choose STRIP, which judges inputs."
        )
    data, chosen = poison.stamp(train, torch.Generator().manual_seed(seed))
    return data, mask(chosen, len(train))


def mask(index: Tensor, n: int) -> Tensor:
    """Bool (n,), true at `index`."""
    truth = torch.zeros(n, dtype=torch.bool)
    truth[index] = True
    return truth
