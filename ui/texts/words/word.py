"""A word of the glossary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """What a word means.

    also : other spellings by which it is found in a text; a plural is found by itself
    """

    meaning: str
    also: tuple[str, ...] = ()
