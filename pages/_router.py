"""Which pages there are, and the frame round them."""

import streamlit as st

from ui import asked, frame, jobs

# An emoji: a Material icon would be fetched from the network as favicon.
st.set_page_config(page_title="Perturb Lab", page_icon="🔬", layout="wide", initial_sidebar_state=264)

page = st.navigation([
    st.Page("home.py", title="Home", icon=":material/home:", default=True, help="What the lab is, and where to begin."),
    st.Page("triggers.py", title="Triggers", icon=":material/bolt:", help="A pattern that a backdoored model obeys."),
    st.Page("supply_chain.py", title="Supply chain", icon=":material/conveyor_belt:", help="One line, ten triggers."),
    st.Page("weights.py", title="Weights", icon=":material/fitness_center:", help="A backdoor without poisoned data."),
    st.Page("regions.py", title="Regions", icon=":material/crop_free:", help="Attack only a part of a picture."),
    st.Page("defend.py", title="Defend", icon=":material/shield:", help="Repair a backdoored model while you watch."),
    st.Page("detect.py", title="Detect", icon=":material/search:", help="Find what carries a trigger, unseen."),
    st.Page("reactivate.py", title="Re-activate", icon=":material/alarm:", help="Is the backdoor gone, or asleep?"),
    st.Page("neurons.py", title="Neurons", icon=":material/hub:", help="Which channels carry a backdoor."),
    st.Page("compare.py", title="Compare", icon=":material/compare:", help="Before, after and never backdoored."),
    st.Page("scoreboard.py", title="Scoreboard", icon=":material/leaderboard:", help="Every attack, every defense."),
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
