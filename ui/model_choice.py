"""Which model the sidebar's picker holds: the visitor's choice, else the one that the page opens with.

Where a page cannot use the choice, one that fits is put into the picker, with a note; on the next page the choice is
back. So the picker always names the model that the page uses.
"""

from __future__ import annotations

import streamlit as st

from ui.pages import Page

MODEL, WANTED, OURS, SWAP, OPEN, NOTE = "model", "model-wanted", "model-ours", "model-swap", "model-page", "model-note"


def choose(ref: str) -> None:
    """Make `ref` the visitor's choice, from a callback such as that of a card."""
    st.session_state.update({MODEL: ref, WANTED: ref, OURS: None})


def now() -> str | None:
    """What the picker will show, or the link asks for; None where neither says anything."""
    return st.session_state.get(MODEL) or st.query_params.get(MODEL)


def settle(page: Page, first: str) -> None:
    """Put the model of `page` into the picker, which is drawn next; `first` is the one that the page opens with."""
    state, held = st.session_state, st.session_state.get(MODEL)
    if held is not None and held != state.get(OURS):
        state[WANTED], state[OURS] = held, None
    elif held is None and MODEL in st.query_params:
        state[WANTED] = st.query_params[MODEL]
    elif held is None:
        state[OURS] = first  # the picker starts there by itself
    turned, state[OPEN] = held is not None and state.get(OPEN) != page.slug, page.slug
    if swap := state.pop(SWAP, None):
        state[MODEL] = state[OURS] = swap
    elif turned:
        wanted = state.get(WANTED)
        state[MODEL], state[OURS] = (first, first) if wanted is None else (wanted, None)


def swap(ref: str, why: str) -> None:
    """Put `ref` into the picker, where the page cannot use the choice for the reason `why`, and draw the page anew."""
    st.session_state.update({SWAP: ref, NOTE: (ref, f"{why}, so the model in the sidebar is now {ref}.")})
    st.rerun()


def note() -> None:
    """Why the model in the picker is not the one that was chosen, as long as it is so."""
    ref, told = st.session_state.get(NOTE, ("", ""))
    if told and st.session_state.get(OURS) == ref:
        st.caption(f":material/info: {told}")
