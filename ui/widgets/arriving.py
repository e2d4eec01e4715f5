"""Waiting for what comes from the Hub, with a bar that says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from typing import TYPE_CHECKING, Literal, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from core.data.transfers import Transfer

T = TypeVar("T")

PATIENCE = 0.3
"""Seconds between two looks at a download; what takes no longer shows no bar."""


def shown(make: Callable[[], T], what: Literal["model", "data"], name: str) -> T:
    """`make()`, which may download the model or the data of this name: in the background, while a bar is drawn here.

    What goes wrong in it is raised here. A visitor who leaves leaves the download going.
    """
    from lab import downloads

    future, bar = downloads.start((what, name), make), None
    while not wait([future], PATIENCE).done:
        bar = bar or st.empty()
        if (file := downloads.on_the_way(name)) is not None:
            bar.progress(share(file), text=told(file))
    if bar is not None:
        bar.empty()
    return future.result()


def share(file: Transfer) -> float:
    """How much of a file is here, in [0, 1]."""
    return min(1.0, file.done / file.total) if file.total else 0.0


def told(file: Transfer) -> str:
    """A download in words."""
    size = f"{file.done / 1e6:.1f} of {file.total / 1e6:.1f} MB"
    return f"Downloading {file.path.rsplit('/', 1)[-1]} of {file.repo}: {size}."
