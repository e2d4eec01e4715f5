"""One cache for what the process keeps: results, loaded models and data, fitted triggers, uploaded pictures."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class LRUCache(Generic[T]):
    """Values by key, from any thread: the least recently used goes first, and what is too old is forgotten.

    entries : how many values are kept
    seconds : how long each of them is kept
    """

    def __init__(self, entries: int, seconds: float = math.inf):
        self.entries, self.seconds = entries, seconds
        self._held: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: WeakValueDictionary[Hashable, threading.RLock] = WeakValueDictionary()

    def get(self, key: Hashable) -> T | None:
        """What is kept under `key`, or None."""
        with self._lock:
            since, value = self._held.get(key, (0.0, None))
            if value is None:
                return None
            if time.monotonic() - since > self.seconds:
                del self._held[key]
                return None
            self._held.move_to_end(key)
            return value

    def put(self, key: Hashable, value: T) -> None:
        """Keep `value` under `key`, and forget what no longer fits."""
        with self._lock:
            self._held[key] = (time.monotonic(), value)
            self._held.move_to_end(key)
            while len(self._held) > self.entries:
                self._held.popitem(last=False)

    def get_or_make(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, or what `make()` gives: two threads that ask at once make it once.

        Making one value holds up nobody who asks for another: one may come over the network, and take minutes.
        """
        found = self.get(key)
        if found is None:
            with self._lock:
                making = self._making.setdefault(key, threading.RLock())
            with making:
                found = self.get(key)
                if found is None:
                    found = make()
                    self.put(key, found)
        return found

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()

    def __len__(self) -> int:
        return len(self._held)
