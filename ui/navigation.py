"""The pages as Streamlit knows them, and the links to all of them in the sidebar.

Streamlit's own navigation nests its items in elements that a list may not hold: screen readers lose count of them.
"""

from __future__ import annotations

import streamlit as st

from ui.pages import PAGES, sections

MADE = "navigation"
"""Session key: the pages, by slug."""


class PageEnds(Exception):
    """Raised by a page that has nothing more to show; what stands around the page is drawn as ever."""


def pages() -> dict[str, st.Page]:
    """The pages by slug, made once a visit: making one, or a link to it by its file, looks through the disk."""
    if MADE not in st.session_state:
        st.session_state[MADE] = {
            each.slug: st.Page(each.file, title=each.title, default=each is PAGES[0]) for each in PAGES
        }
    return st.session_state[MADE]


def draw() -> None:
    """One link per page under the name of its section; the open page's is marked."""
    with st.sidebar, st.container(gap=None):
        for section, rows in sections().items():
            st.caption(section)
            for page in rows:
                st.page_link(pages()[page.slug], label=page.title, icon=f":material/{page.icon}:", help=page.help)
