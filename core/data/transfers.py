"""The downloads of this process as they go on, for whoever shows a progress bar."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    class Counter(Silent):
        """Counts the bytes that have been written; for those on the wire, hf_xet asks for the last two methods."""

        def update(self, n: float | None = 1) -> None:
            transfer.done += int(n or 0)

        def update_transfer(self, n: float | None = 1) -> None:
            pass

        def set_transfer_postfix_str(self, text: str = "", refresh: bool = True) -> None:
            pass

    return Counter
