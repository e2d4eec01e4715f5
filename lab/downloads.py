"""Downloads in the background, so that whoever waits for one can say how far it is.

A page waits for its model and its pictures: it starts what brings them, and draws `on_the_way` until that is done. A
download that nobody waits for any more goes on, and is there for the next visitor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

from core.data import transfers
from core.data.hub import repository

AT_ONCE = 8
"""Downloads side by side; further ones wait."""

_going: dict[Hashable, Future[Any]] = {}
_lock = threading.Lock()
_places = threading.Semaphore(AT_ONCE)


def start(key: Hashable, make: Callable[[], Any]) -> Future[Any]:
    """`make()` in a thread of its own; what is going on already under the same key, where there is such a thing."""
    with _lock:
        future = _going.get(key)
        if future is None:
            future = _going[key] = Future()
            # Not a pool of `concurrent.futures`: those are waited for when the process ends.
            threading.Thread(target=_drive, args=(key, future, make), daemon=True, name="download").start()
        return future


def _drive(key: Hashable, future: Future[Any], make: Callable[[], Any]) -> None:
    try:
        with _places:
            result = make()
    except BaseException as error:
        _ended(key)
        future.set_exception(error)
    else:
        _ended(key)
        future.set_result(result)


def _ended(key: Hashable) -> None:
    with _lock:
        _going.pop(key, None)


def on_the_way(*names: Any) -> transfers.Transfer | None:
    """The largest file that is being downloaded just now for models and data sets of these names; None for none."""
    found = [each for name in names for each in transfers.running(_repository(name))]
    return max(found, key=lambda each: each.total, default=None)


def _repository(name: Any) -> str:
    try:
        return repository(name) if isinstance(name, str) else ""
    except ValueError:
        return ""
