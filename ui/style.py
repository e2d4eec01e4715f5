"""The one style block of the lab: what a reader needs and no option of Streamlit's theme can say while it runs."""

from __future__ import annotations

import streamlit as st

READABLE = """
/* Streamlit writes white on the primary colour. No colour has a contrast of 4.5 both to white and, as the text of a
   slider or a chosen segment, to a dark page; so a dark page's primary buttons are written in its own dark. */
[data-testid="stBaseButton-primary"]:enabled { color: light-dark(#FFFFFF, #11161D); }
/* Four figures stand in one row on a small laptop (1024 pixels), and none of their words is cut off. */
@media (min-width: 768px) and (max-width: 1200px) {
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
}
[data-testid="stMetricLabel"] *, [data-testid="stMetricDelta"] * { white-space: normal !important; }
"""

LARGE = """
/* theme.baseFontSize is read when the server starts; every size of Streamlit's is a multiple of this one. */
html { font-size: 125%; }
"""


def draw(large: bool) -> None:
    """Put the style into the page, where it takes no room; `large` for a projector."""
    st.html(f"<style>{READABLE}{LARGE if large else ''}</style>")
