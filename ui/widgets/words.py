"""The glossary's words, each explained beside the text that uses it first."""

from __future__ import annotations

import streamlit as st

from ui.texts.glossary import WORDS, words_in

TOLD = "words-told"
"""Session key: the words that the page, as it is drawn, has explained already."""


def start() -> None:
    """A page begins: none of its words has been explained yet."""
    st.session_state[TOLD] = set()


def row(text: str, place: str) -> None:
    """Under `text`, a small popover for each word of the glossary that the page uses here for the first time.

    place : of the row on its page, for its key
    """
    told: set[str] = st.session_state.setdefault(TOLD, set())
    new = [word for word in words_in(text) if word not in told]
    if not new:
        return
    told.update(new)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"words-{place}"):
        st.caption("Words:", width="content")
        for word in new:
            with st.popover(word, type="tertiary"):
                st.markdown(f"**{word}**  \n{WORDS[word].meaning}")
