"""Timing several computations turn by turn in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

WARM_UP = 2
"""Turns that do not count: the first ones are slower."""


def interleaved(*calls: Callable[[], object], repeats: int) -> list[float]:
    """The median time of each call in milliseconds; they take turns, so that what slows the machine slows all."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + WARM_UP):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if turn >= WARM_UP:
                taken.append(1000 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]
