"""One owner of torch.

Two torch computations that each want every core slow each other twentyfold: on two cores, two threads of one
process that train side by side managed 39 images a second each, where one alone managed 1,453 (measured on
PreAct-ResNet-18 of width 16, batch 128, bfloat16, without a lock). Either every computation takes one core, or one
lock lets a single computation run at a time, with all cores. The lab has the lock, since a visitor alone is served
sooner by it:

- a job takes the lock, and all cores, for one step and gives both back;
- short work of a script thread (below 0.2 s) waits for that step to end and then takes the lock, and one core: each run
  of a page has a new thread, for which OpenMP would start new workers, and other visitors' pages need the other core.

The queue is first come, first served. A job that wants its next step stands behind the short work that waited
meanwhile, and short work that comes later stands behind that step: neither can starve the other.

`torch.set_num_threads` counts for the thread that calls it, and for threads that compute for the first time afterwards.
So the process is set to one core (`lab.running.pool.pool` does it), and a job's worker to all of them for its steps.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class ComputeLock:
    """A lock served in the order of arrival, which the thread that holds it may enter again: `with compute_lock:`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._owner: int | None = None
        self._depth = 0

    @property
    def waiting(self) -> int:
        """How many threads wait for the lock."""
        return len(self._waiting)

    def __enter__(self) -> Self:
        me = threading.get_ident()
        with self._lock:
            if self._owner == me or self._owner is None:
                self._owner, self._depth = me, self._depth + 1
                return self
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        with self._lock:  # __exit__ has kept the place free for this thread: owner is -1 until it comes
            self._owner, self._depth = me, 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth:
                return
            if self._waiting:
                self._owner = -1
                self._waiting.popleft().set()
            else:
                self._owner = None

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """Take the lock unless another thread holds it, and say whether: for what a page can do without for now."""
        me = threading.get_ident()
        with self._lock:
            mine = self._owner in (None, me)
            if mine:
                self._owner, self._depth = me, self._depth + 1
        try:
            yield mine
        finally:
            if mine:
                self.__exit__()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Give the lock up for what does not compute (a download), if this thread holds it, and take it again after."""
        held = self._depth if self._owner == threading.get_ident() else 0
        for _ in range(held):
            self.__exit__()
        try:
            yield
        finally:
            for _ in range(held):
                self.__enter__()


compute_lock = ComputeLock()
"""The process's lock."""


@contextmanager
def cores(threads: int) -> Iterator[None]:
    """Inside, what this thread computes takes `threads` cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
