"""Showing a page on a projector: `present=1` in a link, or the switch in the sidebar."""

from __future__ import annotations

import streamlit as st

KEY = "present"


def on() -> bool:
    """Whether this visitor presents; in the first run of a visit the link says so."""
    return st.session_state.setdefault(KEY, st.query_params.get(KEY, "") in ("1", "true"))


def switch() -> None:
    """Draw the switch in the sidebar, and keep the address with it. Streamlit's own binding would not read a 1."""
    with st.sidebar:
        st.toggle("Present", key=KEY, help="For a projector: hides this sidebar, enlarges text and charts.")
    if on():
        st.query_params[KEY] = "1"
    else:
        st.query_params.pop(KEY, None)


def way_back() -> None:
    """At the end of a page that is presented: the button that ends it."""
    if on():
        st.button("End presentation", icon=":material/fullscreen_exit:", key="end-present", on_click=_end)


def _end() -> None:
    st.session_state[KEY] = False
