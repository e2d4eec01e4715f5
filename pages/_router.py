"""Which page is open, and the sidebar and the notes around it."""

import streamlit as st

from ui import link_warnings, sidebar
from ui.pages import PAGES, sections
from ui.widgets import jobs

# An emoji: a Material icon would be fetched from the network as favicon.
st.set_page_config(page_title="Perturb Lab", page_icon="🔬", layout="wide", initial_sidebar_state=264)

page = st.navigation({
    section: [
        st.Page(
            each.file, title=each.title, icon=f":material/{each.icon}:", default=each is PAGES[0], help=each.help
        )
        for each in pages
    ]
    for section, pages in sections().items()
})  # fmt: skip
links = link_warnings.of_link()
notes = st.container()
sidebar.draw()
page.run()
sidebar.thumbnail()
jobs.elsewhere(page.url_path)
with notes:
    link_warnings.tell(links)
if "v" not in st.query_params:
    st.query_params["v"] = "1"  # links are versioned: Streamlit leaves out whatever stands at its default
