"""The words of a page: what to watch, a question before the run, and what it means after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from ui.texts import Text
from ui.widgets import words
from ui.widgets.formula import inline

if TYPE_CHECKING:
    from lab.kinds.kind import Conclusion


def opening(title: str, watch: str, place: str = "opening") -> None:
    """The page's name and the one sentence on what to watch: the first thing a visitor reads.

    place : another name for one that is drawn a second time in the same run
    """
    st.title(title, anchor=False)
    st.markdown(watch)
    words.start()
    words.row(watch, place)


def question(
    text: str, answers: Mapping[str, str], found: Conclusion | None, *, told_below: bool = False, key: str
) -> None:
    """Predict, then check: the answer of `found` is told once a guess was made, and its sentence unless it follows.

    answers : answer by outcome; one without leaves the question open, and its sentence says why
    """
    guess = st.segmented_control(
        text, list(dict.fromkeys(answers.values())), key=f"guess-{key}", persist_state="session"
    )
    words.row(text, "question")
    if guess is None:
        return
    if found is None:
        st.caption(f"Your guess: {guess}. Run it to check.")
        return
    right, why = answers.get(found.outcome), "" if told_below else f" {found.text}"
    if right is None:
        st.markdown(f":material/help: {'The run leaves this open.' if told_below else found.text}")
    elif guess == right:
        st.markdown(f":material/check: Right: {right}.{why}")
    else:
        st.markdown(f":material/close: Not quite: {right}.{why}")


def meaning(text: str, *, about: Text) -> None:
    """What it means, the formula with its symbols, and the source."""
    st.header("What it means", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(text)
        words.row(text, "meaning")
    with right:
        st.markdown(inline(about.formula))
        st.caption(about.symbols)
        st.caption(f"Source: {about.source}.")
