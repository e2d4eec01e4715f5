"""Errors as one sentence: whatever goes wrong below is a ValueError that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

FORESEEN = (ValueError, MemoryError, RuntimeError)
"""What to catch before `foreseen` is asked: torch's own error of memory is a RuntimeError."""

NO_MEMORY = "This needs more memory than there is; choose fewer pictures or a smaller model."
LONGEST = 600
"""Characters of a sentence that are shown: a link may hold, and an error repeat, thousands."""


def foreseen(error: BaseException) -> bool:
    """Whether an error has a sentence for a visitor: a ValueError, or memory that ran out.

    Torch's error is known by its name, since torch may not be loaded yet.
    """
    return isinstance(error, ValueError | MemoryError) or type(error).__name__ == "OutOfMemoryError"


@contextmanager
def in_a_sentence(stop: bool = True, then: Callable[[], None] | None = None) -> Iterator[None]:
    """Show a foreseen error raised inside as one sentence, and below it what `then` draws.

    `stop` ends the page there, else it goes on below.
    """
    try:
        yield
    except FORESEEN as error:
        if not foreseen(error):
            raise
        st.error(plain(error), icon=":material/error:")
        if then is not None:
            then()
        if stop:
            st.stop()


def plain(error: BaseException) -> str:
    """The error's sentence, safe to be drawn as Markdown."""
    text = str(error) if isinstance(error, ValueError) else NO_MEMORY
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return text.replace("[", "\\[").replace("$", "\\$").replace("<", "\\<")
