"""The glossary: every word once, found in a text however it is spelled, and offered where a page uses it first."""

from __future__ import annotations

import pytest

from tests.ui.conftest import fine
from ui.pages import PAGES, Page
from ui.texts.glossary import WORDS, words_in


@pytest.mark.parametrize("word", sorted(WORDS))
def test_a_word_has_a_short_meaning_and_is_found_in_a_text(word: str):
    entry = WORDS[word]
    assert entry.meaning[0].isupper() and entry.meaning[-1] == "." and len(entry.meaning) <= 260
    for spelling in (word, *entry.also):
        assert words_in(f"Look: {spelling}, now.") == (word,), spelling


def test_no_spelling_stands_for_two_words():
    spellings = [one.lower() for word, entry in WORDS.items() for one in (word, *entry.also)]
    assert len(set(spellings)) == len(spellings)


def test_a_text_gives_its_words_in_the_order_of_their_first_use():
    assert words_in("Triggers, attack success (ASR) and **RA**; the trigger again") == ("trigger", "ASR", "RA")
    assert words_in("A strap, an extra tactic, fast raster") == (), "a part of another word is none"
    assert words_in("a universal perturbation") == ("universal perturbation",), "the longest spelling"


def offered(app) -> list[str]:
    """The words with a popover, in the order of the page."""
    return [block.proto.popover.label for block in blocks(app.main) if block.type == "popover"]


def blocks(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            yield child
            yield from blocks(child)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_the_words_of_a_pages_first_sentence_are_explained_under_it(visit, page: Page):
    app = fine(visit(page.file if page is not PAGES[0] else ""))
    opening = app.main.markdown[0].value
    shown = offered(app)
    assert shown[: len(words_in(opening))] == list(words_in(opening))
    words = [label for label in shown if label in WORDS]
    assert len(set(words)) == len(words), "each word is explained once on a page"


def test_the_glossary_page_shows_every_word_and_finds_one(visit):
    app = fine(visit("glossary.py"))
    shown = [text.value for text in app.main.markdown]
    for word, entry in WORDS.items():
        assert f"**{word}**  \n{entry.meaning}" in shown
    app.text_input(key="glossary-find").set_value("asr").run()
    assert any(text.value.startswith("**ASR**") for text in fine(app).main.markdown)
    assert not any(text.value.startswith("**loss**") for text in app.main.markdown)
    app.text_input(key="glossary-find").set_value("nothing like it").run()
    assert "shorter" in fine(app).main.caption[-1].value


def test_home_leads_to_the_glossary(visit):
    assert any(link.proto.page == "glossary" for link in fine(visit("")).main.get("page_link"))
