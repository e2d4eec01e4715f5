"""The story: a visitor is led from page to page, with model, picture and controls set, and sees what is done.

What a visit remembers: `story` (followed or not), `story-at` (the chapter that was opened last), `story-done` (numbers
of the chapters whose run has finished), `story-model`, `story-picture` and `story-controls` (what is carried on).
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import model_choice
from ui.pages import PAGES, Chapter, Page, chapters, page_of
from ui.sidebar import FIRST, OWN_DATA, chosen
from ui.widgets import jobs


def followed(slug: str) -> Chapter | None:
    """The chapter that this page is to a visitor who follows the story; None to all others."""
    return page_of(slug).chapter if st.session_state.get("story") else None


def done() -> set[int]:
    """The chapters whose run has finished in this visit."""
    finished: set[int] = st.session_state.setdefault("story-done", set())
    for page in chapters():
        job = jobs.current(page.slug)
        if page.chapter is not None and job is not None and job.state == "done":
            finished.add(page.chapter.number)
    return finished


def next_page() -> Page:
    """The first chapter that is not done; the first of all where every one is."""
    told = chapters()
    return next((page for page in told if page.chapter is not None and page.chapter.number not in done()), told[0])


def enter(page: Page) -> None:
    """Go to a chapter, with everything set; the callback of its buttons."""
    values = _settings(page)
    st.session_state.update(values | {"story": True, "story-at": _chapter(page).number})
    model_choice.choose(values["model"])
    shown = {name: str(value) for name, value in values.items() if name in _chapter(page).state}
    st.switch_page(page.file, query_params={"v": "1", "chapter": str(_chapter(page).number), **shown})


def leave() -> None:
    """The page stays as it is, without the strip."""
    st.session_state["story"] = False
    st.session_state.pop("story-at", None)
    _out_of_address()


def from_link(slug: str) -> str:
    """Open the chapter that the address names (`?chapter=3`, on its own page or on the first); a sentence if there is
    none. What else the address says goes before the chapter's own settings."""
    asked = st.query_params.get("chapter")
    if asked is None or asked == str(st.session_state.get("story-at")):
        return ""
    told = {str(_chapter(page).number): page for page in chapters()}
    if asked not in told:
        return f"The link says chapter = {asked[:40]}, and the story has chapters 1 to {len(told)}; choose one on Home."
    page = told[asked]
    if slug == PAGES[0].slug:
        enter(page)
    if slug == page.slug:
        given = st.query_params.to_dict()
        new = {name: value for name, value in _settings(page).items() if name not in given}
        st.session_state.update(new | {"story": True, "story-at": _chapter(page).number})
        if "model" in new:
            model_choice.choose(new["model"])
    return ""


def to_address(slug: str) -> None:
    """Let the address say which chapter is open, so that it can be reloaded and handed on."""
    chapter = followed(slug)
    if chapter is None:
        _out_of_address()
        return
    st.session_state["story-at"] = chapter.number
    if st.query_params.get("chapter") != str(chapter.number):
        st.query_params["chapter"] = str(chapter.number)


def _out_of_address() -> None:
    if "chapter" in st.query_params:
        del st.query_params["chapter"]


def keep(slug: str) -> None:
    """Remember what the visitor has set on a chapter, for the chapters after it and for the way back to it."""
    chapter = followed(slug)
    if chapter is None:
        return
    choice = chosen()
    if not chapter.model:
        st.session_state["story-model"], st.session_state["story-picture"] = choice.model, choice.index
    set_here = {name: st.session_state[name] for name in chapter.state if name in st.session_state}
    st.session_state.setdefault("story-controls", {})[chapter.number] = set_here


def _settings(page: Page) -> dict[str, Any]:
    """Sidebar and controls of a chapter: its own, and over them what the visitor has set before."""
    chapter, kept = _chapter(page), st.session_state.get("story-controls", {})
    return {
        "model": chapter.model or st.session_state.get("story-model", FIRST), "data": OWN_DATA,
        "images": st.session_state.get("story-picture", chapter.image),
        **chapter.state, **kept.get(chapter.number, {}),
    }  # fmt: skip


def _chapter(page: Page) -> Chapter:
    assert page.chapter is not None
    return page.chapter
