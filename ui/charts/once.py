"""A chart that has not changed is not built again: Altair checks every specification against its schema, which takes
longer than all else on a page."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any, ParamSpec

import streamlit as st

from ui import present

P = ParamSpec("P")


def once(draw: Callable[P, None]) -> Callable[P, None]:
    """A function that draws charts, but no widgets, from plain values; for the same values it sends the same messages.

    The values (numbers, words, lists, dictionaries, arrays) are the key. As text they take a twentieth of the time
    that `st.cache_data` takes to hash them one by one.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        said = [draw.__module__, draw.__qualname__, present.on(), args, kwargs]
        _replayed(json.dumps(said, default=_plain), draw, args, kwargs)

    return drawn


@st.cache_data(max_entries=256, show_spinner=False)
def _replayed(key: str, _draw: Callable[..., None], _args: Any, _kwargs: Any) -> None:
    _draw(*_args, **_kwargs)


def _plain(value: Any) -> Any:
    """An array as lists, a frozen dataclass as its repr."""
    if dataclasses.is_dataclass(value):
        return repr(value)
    return value.tolist()
