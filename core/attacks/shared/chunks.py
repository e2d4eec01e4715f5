"""An attack on many images, slice by slice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from core.attacks.shared.adversarial import Adversarial
from core.device import out_of_memory
from core.networks.batch_size import batch_size
from core.runs import Progress, Run, mapped

T = TypeVar("T")


def in_chunks(attack: Callable[[slice], Run[T]], model: nn.Module, images: Tensor) -> Run[list[T]]:
    """Run `attack(slice)` over consecutive slices of the images and collect the results.

    On a CPU a slice is small enough for a step to take well under a second on the nets of the lab, on a GPU as large
    as `model`, with gradients, has memory for. When memory runs out the slice is halved and started
    again. Steps are counted over all slices; pictures are passed on from the first slice only, so that they
    always show one image.
    """
    n, pixels = len(images), images.shape[2] * images.shape[3]
    usual = max(1, min(128, 400_000 // pixels))
    size = min(batch_size(model, images, usual, gradients=True), max(1, n))
    results: list[T] = []
    start = 0
    while start < n:
        try:
            result = yield from _counted(attack(slice(start, start + size)), start, n, size)
        except RuntimeError as error:
            if size == 1 or not out_of_memory(error):
                raise
            size = max(1, size // 2)
            continue
        results.append(result)
        start += size
    return results


def _counted(run: Run[T], start: int, n: int, size: int) -> Run[T]:
    """One slice's run, with its progress told as part of the whole."""
    before, after = -(-start // size), -(-(n - start) // size)

    def counted(progress: Progress) -> Progress:
        return dataclasses.replace(
            progress,
            step=before * progress.total + progress.step,
            total=(before + after) * progress.total,
            images=progress.images if start == 0 else {},
        )

    return mapped(run, counted)


def joined(parts: list[Adversarial]) -> Adversarial:
    """Results of consecutive chunks as one; reports are joined where they hold a value per image."""
    first = parts[0]
    report = {
        name: torch.cat([part.report[name] for part in parts]) if isinstance(value, Tensor) else value
        for name, value in first.report.items()
    }
    return Adversarial(
        torch.cat([part.images for part in parts]),
        torch.cat([part.success for part in parts]),
        torch.cat([part.source_success for part in parts]),
        {name: torch.cat([part.norms[name] for part in parts]) for name in first.norms},
        torch.cat([part.steps for part in parts]),
        torch.cat([part.queries for part in parts]),
        report,
    )
