"""Which page is open, and the sidebar and the notes around it."""

from contextlib import suppress

import streamlit as st

from ui import arrival, device_line, link_warnings, navigation, present, sidebar, story, style
from ui.pages import PAGES, page_of
from ui.widgets import chapters, jobs, my_model

# An emoji: a Material icon would be fetched from the network as favicon.
st.set_page_config(
    page_title="Perturb Lab", page_icon="🔬", layout="wide",
    initial_sidebar_state="collapsed" if present.on() or st.context.is_embedded else 264,
)  # fmt: skip

page = st.navigation(list(navigation.pages().values()), position="hidden")  # ui.navigation draws the links
style.draw(large=present.on())
slug = page.url_path or PAGES[0].slug
arrival.note(slug)
doubt = story.from_link(slug)
links = link_warnings.of_link()
notes = st.container()
navigation.draw()
my_model.take_up()
sidebar.draw(page_of(slug))
present.switch()
chapters.strip(slug)
with suppress(navigation.PageEnds):
    if page_of(slug).kind:
        my_model.require(sidebar.chosen().model)
    page.run()
present.way_back()
sidebar.thumbnail()
device_line.draw()
jobs.elsewhere(page.url_path)
with notes:
    link_warnings.tell(links, doubt)
story.to_address(slug)
if "v" not in st.query_params:
    st.query_params["v"] = "1"  # links are versioned: Streamlit leaves out whatever stands at its default
