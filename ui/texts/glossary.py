"""The words of the field that the pages use, each in a sentence or two. One list: pages, tests and Glossary read it.

The words lie in `ui.texts.words`, one subject per file.
"""

from __future__ import annotations

import functools
import re

from ui.texts.words import backdoors, explanations, networks, outliers, robustness
from ui.texts.words.word import Word

SUBJECTS = backdoors, robustness, networks, explanations, outliers
WORDS: dict[str, Word] = {word: entry for subject in SUBJECTS for word, entry in subject.WORDS.items()}
"""Every word with its meaning."""


@functools.lru_cache(maxsize=256)  # a page draws the same few sentences again and again
def words_in(text: str) -> tuple[str, ...]:
    """The words of the glossary that a text uses, in the order of their first use; the longest spelling counts."""
    found: dict[str, None] = {}
    for match in _pattern().finditer(text):
        found.setdefault(_spellings()[_folded(match[0])])
    return tuple(found)


@functools.cache
def _spellings() -> dict[str, str]:
    """The word of each spelling."""
    return {_folded(one): word for word, entry in WORDS.items() for one in (word, *entry.also)}


@functools.cache
def _pattern() -> re.Pattern[str]:
    longest = sorted((one for word, entry in WORDS.items() for one in (word, *entry.also)), key=len, reverse=True)
    either = "|".join(re.escape(one) if one.isupper() else f"(?i:{re.escape(one)})" for one in longest)
    return re.compile(rf"(?<![\w-])(?:{either})(?=(?:s|es)?(?![\w-]))")


def _folded(text: str) -> str:
    """Abbreviations as they are, words in small letters."""
    return text if text.isupper() else text.lower()
