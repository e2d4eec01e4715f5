"""What a visitor can do without a network: which data are at hand, and what works without them."""

from __future__ import annotations

import streamlit as st

MARK = " (no data)"
"""Stands behind a model whose pictures would have to be downloaded; a name that a link brings may have it, too."""


@st.cache_data(ttl=60, max_entries=64, show_spinner=False)
def at_hand(data: str) -> bool:
    """Whether a data set needs no network; of one that cannot be named, nobody can say that it does."""
    from core.data.hub import cached

    try:
        return not data or cached(data)
    except ValueError:
        return True


def still_works(data: str) -> None:
    """What goes on working where `data` cannot be had; nothing where they can."""
    if not at_hand(data):
        st.caption(
            "Without these pictures: **your own picture** (*Yours* in the sidebar) works on *Triggers*, and the "
            "*Scoreboard* shows the runs that are stored with the lab."
        )
