"""How anything long is watched, finished or stopped.

A run is a generator: it yields `Progress` and returns its result. Whoever drives it decides
what to do with the progress; closing it stops it, and the run's own `finally` blocks put back
whatever it had touched.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

from torch import Tensor, nn
from tqdm.auto import tqdm

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """One moment of a run.

    Parameters
    ----------
    stage : what is being done, one word ("unlearn", "tune", "attack")
    step, total : how far within this stage, 1 <= step <= total
    metrics : numbers measured at this step (losses in nats, accuracies as fractions)
    images : pictures worth showing, float (C, H, W) or (N, C, H, W) in [0, 1]
    model : the model as it stands, where a run works on one, so that whoever watches can score it
    """

    stage: str
    step: int
    total: int
    metrics: dict[str, float] = field(default_factory=dict)
    images: dict[str, Tensor] = field(default_factory=dict)
    model: nn.Module | None = None


Run = Generator[Progress, None, T]


def mapped(run: Run[T], change: Callable[[Progress], Progress]) -> Run[T]:
    """`run` with each progress as `change` makes it; closing it closes `run`."""
    try:
        while True:
            try:
                progress = next(run)
            except StopIteration as end:
                return end.value
            yield change(progress)
    finally:
        run.close()


def told_as(run: Run[T], now: Progress) -> Run[T]:
    """`run` as a part of another that stands at `now`: each of its progress is told as that."""
    return mapped(run, lambda _: now)


def part(run: Run[T], stage: str, i: int, n: int) -> Run[T]:
    """Run i of n, counted from 0, that take as many steps each: its progress as that through all, without pictures."""
    return mapped(run, lambda now: Progress(stage, i * now.total + now.step, n * now.total))


def until(run: Run[T], over: Callable[[Progress], bool]) -> Run[T | None]:
    """`run`, closed with None once `over` is true of a progress, which has been handed on; it is asked about each."""
    try:
        while True:
            try:
                progress = next(run)
            except StopIteration as end:
                return end.value
            yield progress
            if over(progress):
                return None
    finally:
        run.close()


def finish(run: Run[T], bar: bool = False) -> T:
    """Drive `run` to its end and return its result; `bar=True` draws a progress bar on stderr."""
    stage, meter = "", tqdm(disable=True)  # a disabled bar has no `desc` to ask for the stage
    try:
        while True:
            progress = next(run)
            if not bar:
                continue
            if progress.stage != stage:
                meter.close()
                stage, meter = progress.stage, tqdm(total=progress.total, desc=progress.stage)
            meter.update(progress.step - meter.n)
            meter.set_postfix({name: f"{value:.3f}" for name, value in progress.metrics.items()})
    except StopIteration as end:
        return end.value
    finally:
        meter.close()
        run.close()
