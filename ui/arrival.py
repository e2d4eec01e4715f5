"""What a link does when it is opened: it shows the kept result of its settings, or starts their run (`run=1`)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from ui.widgets import jobs

if TYPE_CHECKING:
    from lab.recipes import Recipe

KEY = "arrived"


def note(page: str) -> None:
    """Remember the page that a link has opened: in the first run of a visit, before the address is completed.

    Only links have a version. Whoever types the address of a page, or opens a chapter of the story, is to predict the
    outcome, not to find it there.
    """
    if KEY not in st.session_state:
        linked = "v" in st.query_params and "chapter" not in st.query_params
        st.session_state[KEY] = page if linked else ""


def follow(slug: str, recipe: Recipe | None) -> None:
    """Do once what the link asks of this page; `recipe` is None while something is missing.

    The address loses `run`, so that neither a rerun nor a reload starts it again.
    """
    arrived = st.session_state.get(KEY) == slug
    if arrived:
        st.session_state[KEY] = ""
    job = jobs.current(slug)
    if st.query_params.get("run") == "1":
        if recipe is not None and (job is None or job.recipe != recipe):
            jobs.start(slug, recipe)
        st.query_params.pop("run", None)
    elif arrived and job is None and recipe is not None:
        with suppress(ValueError):  # data that are not at hand: the page says so itself
            jobs.adopt(slug, recipe)
