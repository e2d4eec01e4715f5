"""Who is visiting: a browser tab, by a name that says nothing about who it is."""

from __future__ import annotations

import uuid

import streamlit as st


def visitor() -> str:
    """This browser tab's name."""
    return st.session_state.setdefault("visitor", uuid.uuid4().hex)
