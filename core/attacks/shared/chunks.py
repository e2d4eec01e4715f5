"""An attack on many images, slice by slice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from core.attacks.shared.adversarial import Adversarial
from core.runs import Progress, Run, mapped

T = TypeVar("T")


def in_chunks(attack: Callable[[slice], Run[T]], images: Tensor) -> Run[list[T]]:
    """Run `attack(slice)` over consecutive slices of the images and collect the results.

    On a CPU a slice is small enough for a step to take well under a second on the nets of the lab.
    When the device runs out of memory the slice is halved and started again. Steps are counted over
    all slices; pictures are passed on from the first slice only, so that they always show one image.
    """
    n, pixels = len(images), images.shape[2] * images.shape[3]
    size = 512 if images.device.type == "cuda" else max(1, min(128, 400_000 // pixels))
    results: list[T] = []
    start = 0
    while start < n:
        try:
            result = yield from _counted(attack(slice(start, start + size)), start, n, size)
        except torch.OutOfMemoryError:
            if size == 1:
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
