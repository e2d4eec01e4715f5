"""The one style block of the lab: what a reader needs and no option of Streamlit's theme can say."""

from __future__ import annotations

import streamlit as st

READABLE = """
/* Streamlit writes white on the primary colour. No colour has a contrast of 4.5 both to white and, as the text of a
   slider or a chosen segment, to a dark page; so that a dark page's primary buttons are written in its own dark. */
[data-testid="stBaseButton-primary"]:enabled { color: light-dark(#FFFFFF, #11161D); }
"""


def draw() -> None:
    """Put the style into the page; it takes no room there."""
    st.html(f"<style>{READABLE}</style>")
