"""Which page is open, and the sidebar and the notes around it."""

import streamlit as st

from ui import link_warnings, navigation, sidebar, style
from ui.pages import PAGES
from ui.widgets import jobs

# An emoji: a Material icon would be fetched from the network as favicon.
st.set_page_config(page_title="Perturb Lab", page_icon="🔬", layout="wide", initial_sidebar_state=264)

page = st.navigation(
    [st.Page(each.file, title=each.title, default=each is PAGES[0]) for each in PAGES],
    position="hidden",  # ui.navigation draws the links
)
style.draw()
links = link_warnings.of_link()
notes = st.container()
navigation.draw()
sidebar.draw()
page.run()
sidebar.thumbnail()
jobs.elsewhere(page.url_path)
with notes:
    link_warnings.tell(links)
if "v" not in st.query_params:
    st.query_params["v"] = "1"  # links are versioned: Streamlit leaves out whatever stands at its default
