"""Every page keeps to what its row promises; what is missing is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.kinds import kinds
from ui import texts
from ui.pages import PAGES, SECTIONS, Page, chapters, sections

ROOT = Path(__file__).parents[2]

each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)


@each
def test_a_page_has_its_file_its_words_and_its_place(page: Page) -> None:
    assert (ROOT / "pages" / page.file).is_file(), f"pages/{page.file} is missing"
    assert page.section in SECTIONS, f"{page.slug} stands in no section"
    assert re.fullmatch(r"[a-z_]+", page.icon) and page.help[-1] in ".?" and len(page.help) <= 60


@pytest.mark.parametrize("page", [page for page in PAGES if page.kind], ids=lambda page: page.slug)
def test_a_page_with_a_run_has_a_kind_a_card_an_example_and_its_texts(page: Page) -> None:
    assert page.kind in kinds(), f"{page.slug} runs a kind {page.kind!r} that does not exist"
    assert page.cards, f"{page.slug} has no card in the gallery"
    assert (ROOT / "recipes" / f"{page.slug}.json").is_file(), f"recipes/{page.slug}.json is missing"
    missing = [cls.__name__ for cls in kinds()[page.kind].methods if cls.__name__ not in texts.all_texts()]
    assert not missing, f"no text for {', '.join(missing)}"


def test_the_story_has_six_to_twelve_chapters_without_a_gap_and_each_has_its_words() -> None:
    told = [page.chapter for page in chapters() if page.chapter is not None]
    assert 6 <= len(told) <= 12 and [chapter.number for chapter in told] == list(range(1, len(told) + 1))
    for chapter in told:
        assert chapter.title and chapter.goal[-1] == "." and len(chapter.goal) <= 80, chapter.title
    assert all(page.kind for page in chapters()), "a chapter ends with a run"


def test_no_two_pages_share_a_name_or_a_card() -> None:
    for name in ("slug", "title", "icon"):
        values = [getattr(page, name) for page in PAGES]
        assert len(set(values)) == len(values), name
    titles = [card.title for page in PAGES for card in page.cards]
    assert len(set(titles)) == len(titles)


def test_no_file_of_pages_is_without_a_row() -> None:
    files = {file.stem for file in (ROOT / "pages").glob("*.py") if not file.stem.startswith("_")}
    assert files == {page.slug for page in PAGES}


def test_the_navigation_has_each_page_once_and_no_empty_section() -> None:
    found = sections()
    assert [page for pages in found.values() for page in pages] and all(found.values())
    assert sorted(page.slug for pages in found.values() for page in pages) == sorted(page.slug for page in PAGES)
    assert list(found) == [name for name in SECTIONS if name in found]
