"""Which pages there are, and the frame round them."""

import streamlit as st

from ui import asked, frame, jobs

# An emoji: a Material icon would be fetched from the network as favicon.
st.set_page_config(page_title="Perturb Lab", page_icon="🔬", layout="wide", initial_sidebar_state=264)

page = st.navigation([
    st.Page("home.py", title="Home", icon=":material/home:", default=True, help="What the lab is, and where to begin."),
    st.Page("triggers.py", title="Triggers", icon=":material/bolt:", help="A pattern that a backdoored model obeys."),
    st.Page("regions.py", title="Regions", icon=":material/crop_free:", help="Attack only a part of a picture."),
    st.Page("defend.py", title="Defend", icon=":material/shield:", help="Repair a backdoored model while you watch."),
    st.Page("compare.py", title="Compare", icon=":material/balance:", help="Before, after and never backdoored."),
])  # fmt: skip
links = asked.of_link()
notes = st.container()
frame.sidebar()
page.run()
frame.thumbnail()
jobs.elsewhere(page.url_path)
with notes:
    asked.tell(links)
if "v" not in st.query_params:
    st.query_params["v"] = "1"  # links are versioned: Streamlit leaves out whatever stands at its default
