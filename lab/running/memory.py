"""Memory that the process no longer uses goes back to the system."""

from __future__ import annotations

import ctypes
import threading
import time

EVERY = 10.0
"""Seconds between two calls that do something: one walks through all that is free, a few milliseconds."""

_last = -EVERY
_lock = threading.Lock()


def give_back() -> None:
    """Return what is free to the system, at most every `EVERY` seconds; glibc only, nothing happens elsewhere.

    glibc keeps what was freed below a block that is still in use, for each thread that computes apart. In a room of
    thirty, whose pages each compute in a thread of their own, twice as much memory was free as was in use.
    """
    global _last
    with _lock:
        if time.monotonic() - _last < EVERY:
            return
        _last = time.monotonic()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
