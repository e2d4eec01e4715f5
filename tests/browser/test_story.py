"""The story in a browser: from Home through its first chapters, back, a reload, and out."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from bench.drive import idle
from ui.pages import chapters

TOLD = chapters()


def test_the_story_leads_from_home_and_an_address_keeps_it(visit):
    page = visit("/")
    page.get_by_role("button", name="Start the story").click()
    strip = page.locator(".st-key-story-strip")
    for number, each in enumerate(TOLD[:3], start=1):
        expect(strip).to_contain_text(f"Chapter {number} of {len(TOLD)}", timeout=60_000)
        expect(page.get_by_role("heading", level=1)).to_have_text(each.title)
        expect(page).to_have_url(re.compile(rf"/{each.slug}\?.*chapter={number}"))
        idle(page, 60_000)
        if number < 3:
            page.locator(".st-key-story-next button").click()
    page.reload()
    expect(strip).to_contain_text("Chapter 3", timeout=60_000)
    idle(page, 60_000)
    page.get_by_role("button", name="Leave").click()
    expect(strip).to_have_count(0)
    expect(page).not_to_have_url(re.compile("chapter="))


def test_a_word_opens_under_the_sentence_that_uses_it(visit):
    page = visit("/defend")
    page.locator(".st-key-words-opening").get_by_role("button", name="ASR").click()
    expect(page.get_by_text("Attack success rate: the share of triggered pictures")).to_be_visible()
