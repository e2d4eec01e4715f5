"""The words of a page: what to watch, a question before the run, and what it means after it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.texts import Text


def opening(title: str, watch: str) -> None:
    """The page's name and the one sentence on what to watch: the first thing a visitor reads."""
    st.title(title, anchor=False)
    st.markdown(watch)


def question(text: str, options: Sequence[str], right: str, why: str, *, key: str) -> None:
    """Predict, then check: `right` is "" until the run has ended; it is told once a guess was made."""
    guess = st.segmented_control(text, options, key=f"guess-{key}", persist_state="session")
    if guess is None:
        return
    if not right:
        st.caption(f"Your guess: {guess}. Run it to check.")
    else:
        mark = ":material/check: Right." if guess == right else f":material/close: Not quite: {right}."
        st.markdown(f"{mark} {why}")


def meaning(text: str, *, about: Text) -> None:
    """What it means, the formula with its symbols, and the source."""
    st.header("What it means", anchor=False)
    left, right = st.columns(2, gap="large")
    left.markdown(text)
    with right:
        # Not st.latex: a formula in a line breaks where there is little room, one of its own would be cut.
        st.markdown(rf"$\displaystyle {about.formula}$")
        st.caption(about.symbols)
        st.caption(f"Source: {about.source}.")
