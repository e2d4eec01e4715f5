"""The story: a chapter sets its page, the strip leads on, what is done is marked, and a link opens a chapter cold."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.ui.conftest import fine, until
from ui.pages import Page, chapters
from ui.sidebar import FIRST

TOLD = chapters()


@pytest.fixture
def gone(monkeypatch) -> list[tuple[str, dict[str, str], tuple[str, int]]]:
    """Where a button leads, its query, and model and picture as it leaves them: AppTest goes nowhere in a callback."""
    found: list[tuple[str, dict[str, str], tuple[str, int]]] = []

    def switch(page: str, query_params: dict[str, str]) -> None:
        found.append((page, query_params, (st.session_state["model"], st.session_state["images"])))

    monkeypatch.setattr("ui.story.st.switch_page", switch)
    return found


def strips(app) -> list[str]:
    return [text.value for text in app.markdown if "· Goal: " in text.value]


@pytest.mark.parametrize("page", TOLD, ids=lambda page: page.slug)
def test_a_link_to_a_chapter_opens_it_cold_with_everything_set(visit, page: Page):
    app = fine(visit(page.file, chapter=str(page.chapter.number)))
    assert not app.warning
    (strip,) = strips(app)
    assert f"**Chapter {page.chapter.number} of {len(TOLD)} · {page.chapter.title}**" in strip
    assert strip.endswith(f"Goal: {page.chapter.goal}")
    assert app.session_state["choice"].model == (page.chapter.model or FIRST)
    assert app.session_state["choice"].index == page.chapter.image
    for key, value in page.chapter.state.items():
        assert app.session_state[key] == value
    assert app.button(key="story-back").disabled == (page is TOLD[0])
    assert app.button(key="story-next").disabled == (page is TOLD[-1])


def test_what_a_link_says_beside_the_chapter_goes_first(visit):
    app = fine(visit("detect.py", chapter="3", method="SpectralSignatures", images="14"))
    assert app.session_state["method"] == "SpectralSignatures" and app.session_state["choice"].index == 14


@pytest.mark.parametrize("asked", ["0", "99", "x", ""])
def test_a_chapter_that_does_not_exist_is_one_sentence(visit, asked):
    app = fine(visit("detect.py", chapter=asked))
    assert len(app.warning) == 1 and f"chapters 1 to {len(TOLD)}" in app.warning[0].value
    assert not strips(app)


def test_home_starts_with_one_primary_button_that_opens_the_first_chapter(visit, gone):
    home = fine(visit(""))
    assert [button.label for button in home.main.button if button.proto.type == "primary"] == ["Start the story"]
    home.button(key="story-start").click().run()
    file, query, _ = gone.pop()
    assert file == TOLD[0].file and query["chapter"] == "1" and home.session_state["story"]
    for page in TOLD:
        home.button(key=f"chapter-{page.chapter.number}").click().run()
        assert gone.pop()[0] == page.file


def test_a_page_outside_the_story_or_of_another_visitor_has_no_strip(visit):
    assert not strips(fine(visit("regions.py", state={"story": True})))
    assert not strips(fine(visit("detect.py")))


def test_leaving_the_story_takes_the_strip_and_leaves_the_page(visit):
    app = fine(visit("detect.py", chapter="3"))
    app.button(key="story-leave").click().run()
    assert not strips(fine(app)) and app.title[0].value == "Detect"
    assert "chapter" not in app.query_params


def test_the_next_chapter_goes_on_with_model_and_picture_and_the_way_back_keeps_the_controls(visit, gone):
    before = {"story-controls": {4: {"method": "CLP"}}}
    app = fine(visit("detect.py", chapter="3", model="zoo:scenes-blended", images="14", state=before))
    app.button(key="story-next").click().run()
    file, query, shared = gone.pop()
    assert file == "defend.py" and query["method"] == "CLP" and shared == ("zoo:scenes-blended", 14)


def test_a_chapter_that_needs_another_model_leaves_the_storys_own_alone(visit, gone):
    app = fine(visit("weights.py", chapter="2", state={"story-model": "zoo:scenes-blended"}))
    assert app.session_state["choice"].model == "zoo:scenes-clean"
    app.button(key="story-next").click().run()
    file, _, (model, _) = gone.pop()
    assert file == "detect.py" and model == "zoo:scenes-blended"


def test_a_finished_run_marks_the_chapter_and_leads_on(visit, gone):
    app = fine(until(visit("triggers.py", chapter="1"), "triggers", "done"))
    assert strips(app)[0].startswith(":green[")
    assert app.button(key="story-on").label == f"Next: chapter 2, {TOLD[1].chapter.title}"
    app.button(key="story-on").click().run()
    assert gone.pop()[0] == "weights.py"
    home = fine(app.switch_page("home.py").run())
    assert [text.value for text in home.markdown if text.value.endswith("· done")] == [
        f":green[:material/check_circle:] **1. {TOLD[0].chapter.title}** · done"
    ]
    assert home.button(key="story-start").label == "Go on with chapter 2"
