"""Home: what the lab is, a story to follow, and a gallery in which one click sets everything."""

import streamlit as st

from ui.widgets import lesson

lesson.opening(
    "Perturb Lab",
    "Perturb something small and **watch what the network does**. Some models here were backdoored on purpose: they "
    "are right about nearly every picture, until a small pattern appears. "
    "Everything runs live, without upload or account.",
)

from ui.widgets import cards, chapters  # noqa: E402

chapters.contents()
st.page_link("glossary.py", label="Every word of the field, in a glossary", icon=":material/menu_book:")

st.header("Single experiments", anchor=False)
with st.grid(3, min_column_width=230, gap="small"):
    for page, card in cards.gallery():
        cards.show(page, card)

st.header("How a page works", anchor=False)
one, two, three = st.columns(3)
one.markdown(
    "**:material/tune: Choose.** Model and picture are set in the sidebar, for all pages. A page adds a few controls."
)
two.markdown(
    "**:material/play_arrow: Run.** Short computations follow each control at once. A long run goes on in the "
    "background and can be stopped."
)
three.markdown(
    "**:material/link: Keep.** A link holds every setting; figures, pictures and Python lines can be downloaded."
)
