"""Errors as one sentence: whatever goes wrong below is a ValueError that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def in_a_sentence(stop: bool = True) -> Iterator[None]:
    """Show a ValueError raised inside as one sentence; `stop` ends the page there, else it goes on below."""
    try:
        yield
    except ValueError as error:
        st.error(plain(error), icon=":material/error:")
        if stop:
            st.stop()


def plain(error: BaseException) -> str:
    """The error's sentence, safe to be drawn as Markdown."""
    return str(error).replace("[", "\\[").replace("$", "\\$").replace("<", "\\<")
