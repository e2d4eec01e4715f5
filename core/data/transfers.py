"""The downloads of this process as they go on, for whoever shows a progress bar, and for whoever stops one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tqdm.std import tqdm


@dataclass
class Transfer:
    """One file on its way.

    done, total : bytes
    """

    repo: str
    path: str
    total: int
    done: int = 0


_running: list[Transfer] = []
_lock = threading.Lock()
_thread = threading.local()


class Stopped(Exception):
    """A download was given up because whoever wanted it no longer does."""


@contextmanager
def stopping(asked: Callable[[], bool]) -> Iterator[None]:
    """Inside, a download of this thread ends with `Stopped` as soon as `asked()` says so; nothing of it is kept."""
    before = getattr(_thread, "asked", None)
    _thread.asked = asked
    try:
        yield
    finally:
        _thread.asked = before


def running(repo: str) -> list[Transfer]:
    """The files of a repository that are being downloaded just now."""
    with _lock:
        return [transfer for transfer in _running if transfer.repo == repo]


@contextmanager
def noted(repo: str, path: str, total: int) -> Iterator[type[tqdm]]:
    """A download for as long as the block lasts; gives the `tqdm_class` through which huggingface_hub counts it."""
    transfer = Transfer(repo, path, total)
    with _lock:
        _running.append(transfer)
    try:
        yield _counter(transfer)
    finally:
        with _lock:
            _running.remove(transfer)


class Silent(tqdm):
    """A progress bar that does not show."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **{**kwargs, "disable": True})


def _counter(transfer: Transfer) -> type[tqdm]:
    asked = getattr(_thread, "asked", None)  # hf_xet counts in threads of its own

    class Counter(Silent):
        """Counts the bytes that have been written; for those on the wire, hf_xet asks for the last two methods."""

        def update(self, n: float | None = 1) -> None:
            transfer.done += int(n or 0)
            if asked is not None and asked():
                raise Stopped

        def update_transfer(self, n: float | None = 1) -> None:
            pass

        def set_transfer_postfix_str(self, text: str = "", refresh: bool = True) -> None:
            pass

    return Counter
