"""The story as it is drawn: the list on the first page, the strip above a chapter, and the way on at its end."""

from __future__ import annotations

import streamlit as st

from ui import story
from ui.pages import PAGES, Page, chapters, page_of


def contents() -> None:
    """One clear first action, and every chapter with its goal and whether it is done."""
    finished, told, first = story.done(), chapters(), story.next_page()
    if not finished:
        label = "Start the story"
    elif len(finished) == len(told):
        label = "Read the story again"
    else:
        assert first.chapter is not None
        label = f"Go on with chapter {first.chapter.number}"
    st.button(
        label, type="primary", icon=":material/play_arrow:", key="story-start", on_click=story.enter, args=(first,)
    )
    with st.grid(2, min_column_width=320, gap="small"):
        for page in told:
            _row(page, finished)


def _row(page: Page, finished: set[int]) -> None:
    chapter = page.chapter
    assert chapter is not None
    over = chapter.number in finished
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", height="stretch"):
        mark = ":green[:material/check_circle:]" if over else ":material/radio_button_unchecked:"
        with st.container(gap=None):
            st.markdown(f"{mark} **{chapter.number}. {chapter.title}**{' · done' if over else ''}")
            st.caption(chapter.goal)
        st.button(
            "Open", key=f"chapter-{chapter.number}", on_click=story.enter, args=(page,), width="content",
            help=f"Chapter {chapter.number}, on the page {page.title}",
        )  # fmt: skip


def strip(slug: str) -> None:
    """Above a chapter, while the story is followed: where it stands, its goal, Back, Next and the way out."""
    chapter = story.followed(slug)
    if chapter is None:
        return
    told = chapters()
    over = ":green[:material/check_circle:] " if chapter.number in story.done() else ""
    with st.container(border=True, key="story-strip"):
        words, ways = st.columns([2.6, 1], vertical_alignment="center")
        words.markdown(f"{over}**Chapter {chapter.number} of {len(told)} · {chapter.title}** · Goal: {chapter.goal}")
        with ways, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            before = told[chapter.number - 2] if chapter.number > 1 else None
            after = told[chapter.number] if chapter.number < len(told) else None
            _turn("← Back", "story-back", before)
            _turn("Next →", "story-next", after)
            st.button(
                "Leave", key="story-leave", type="tertiary", on_click=story.leave,
                help="Leave the story; the page stays as it is",
            )  # fmt: skip


def _turn(label: str, key: str, page: Page | None) -> None:
    st.button(
        label, key=key, type="tertiary", disabled=page is None,
        on_click=story.enter, args=(page,),
    )  # fmt: skip


def onward(slug: str, finished: bool) -> None:
    """At the end of a chapter: keep what was set and, once its run has finished, the way on."""
    story.keep(slug)
    chapter, told = story.followed(slug), chapters()
    if chapter is None or not finished:
        return
    if chapter.number == len(told):
        st.page_link(
            page_of("claims").file, label="The story ends here: which of the papers' claims hold?",
            icon=":material/fact_check:", query_params={"v": "1"},
        )  # fmt: skip
        st.page_link(PAGES[0].file, label="On to the gallery", icon=":material/home:", query_params={"v": "1"})
        return
    page = told[chapter.number]
    assert page.chapter is not None
    st.button(
        f"Next: chapter {page.chapter.number}, {page.chapter.title}", type="primary", key="story-on",
        icon=":material/arrow_forward:", on_click=story.enter, args=(page,),
    )  # fmt: skip
