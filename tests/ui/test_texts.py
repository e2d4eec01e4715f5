"""The texts at the foot of a page: one for every method that a page runs, each once, and complete."""

from __future__ import annotations

import pytest

from lab.kinds import kinds
from ui import texts
from ui.pages import PAGES

RUN = {cls.__name__ for page in PAGES if page.kind for cls in kinds()[page.kind].methods}


@pytest.mark.parametrize("name", sorted(RUN))
def test_every_method_of_a_page_has_its_text(name):
    text = texts.of(name)
    assert text.formula and text.symbols and "http" in text.source


def test_each_text_stands_once_and_belongs_to_a_method():
    tables = texts.tables()
    assert len(texts.all_texts()) == sum(map(len, tables)) and set(texts.all_texts()) == RUN
    assert len(set(texts.all_texts().values())) == len(texts.all_texts())


def test_a_method_without_a_text_is_named():
    with pytest.raises(KeyError, match="Nothing"):
        texts.of("Nothing")
