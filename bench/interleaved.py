"""Timing several computations turn by turn in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

WARM_UP = 2
"""Turns that do not count: the first ones are slower."""


def interleaved(
    *calls: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The median time of each call in milliseconds; they take turns, so that what slows the machine slows all.

    clock : seconds; `time.process_time` counts only what this process computes, on a machine that others use too
    """
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeats + WARM_UP):
        for call, taken in zip(calls, times, strict=True):
            start = clock()
            call()
            if turn >= WARM_UP:
                taken.append(1000 * (clock() - start))
    return [statistics.median(taken) for taken in times]
