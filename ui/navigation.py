"""The links to all pages, in the sidebar.

Streamlit's own navigation nests its items in elements that a list may not hold: screen readers lose count of them.
"""

from __future__ import annotations

import streamlit as st

from ui.pages import sections


class PageEnds(Exception):
    """Raised by a page that has nothing more to show; what stands around the page is drawn as ever."""


def draw() -> None:
    """One link per page under the name of its section; the open page's is marked."""
    with st.sidebar, st.container(gap=None):
        for section, pages in sections().items():
            st.caption(section)
            for page in pages:
                st.page_link(page.file, label=page.title, icon=f":material/{page.icon}:", help=page.help)
