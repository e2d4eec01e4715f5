"""Choosing a picture: from the test pictures, or the visitor's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.errors import in_a_sentence
from ui.widgets import uploads

Take = Callable[[dict[str, Any]], None]
"""What a click does with values of the sidebar's controls: they become the choice."""


def gallery(take: Take) -> None:
    """Eight test pictures at a time; a click chooses one."""
    box = st.popover("Gallery", width="stretch", key="gallery", on_change="rerun")
    if box.open:
        with box, in_a_sentence(stop=False):
            from ui.cache import gallery as pictures

            choice = st.session_state.get("choice")
            if choice is None:
                return
            first = st.session_state.setdefault("gallery-first", 0)
            with st.grid(4, min_column_width=60, gap="xsmall", wrap=False):
                for index, name, picture in pictures(choice, first, 8):
                    with st.container(gap=None):
                        st.image(picture, width="stretch", alt=f"Test picture {index}: {name}")
                        st.button(name, key=f"pick-{index}", on_click=take, args=({"images": index, "upload": ""},),
                                  width="stretch", type="tertiary")  # fmt: skip
            with st.container(horizontal=True):
                st.button("Earlier", on_click=_turn, args=(-8,), disabled=first == 0, icon=":material/chevron_left:")
                st.button("More", on_click=_turn, args=(8,), icon=":material/chevron_right:")


def _turn(by: int) -> None:
    st.session_state["gallery-first"] = max(0, st.session_state["gallery-first"] + by)


def own(take: Take) -> None:
    """A file or a photograph of the visitor's own."""
    box = st.popover(
        "Yours", help="Your own picture: a file or the webcam", width="stretch", key="own-picture", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        way = st.segmented_control("From", ["File", "Webcam"], default="File", required=True, key="own-way")
        if way == "File":
            file = st.file_uploader("A picture", key="own-file", **uploads.FILES)
        else:
            file = st.camera_input("A photograph", key="own-photo")
        st.caption("It stays in this server's memory for a while and is not written to disk.")
        if file is not None and file.file_id != st.session_state.get("own-read"):
            with in_a_sentence(stop=False):
                st.session_state["upload"] = uploads.kept(file)
                st.session_state["own-read"] = file.file_id
                st.rerun()
        if st.session_state.get("upload"):
            st.button("Back to the test pictures", on_click=take, args=({"upload": ""},))
