"""Widgets that a link sets and a visit keeps; `ui.link_warnings` tells which values of a link they did not take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

BOUND: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def choose(label: str, options: Sequence[str], *, key: str, index: int = 0, help: str | None = None) -> str:
    """One of a list of words."""
    return st.selectbox(label, options, index=index, key=key, help=help, **BOUND)


def pick(label: str, options: Sequence[str], start: str, *, key: str, help: str | None = None) -> str:
    """One of a few words, side by side."""
    return st.segmented_control(label, options, default=start, required=True, key=key, help=help, **BOUND)


def whole(label: str, low: int, high: int, start: int, *, key: str, help: str | None = None) -> int:
    """A whole number."""
    return int(st.number_input(label, low, high, start, key=key, help=help, **BOUND))
