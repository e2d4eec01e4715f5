"""A text: formula, symbols, meaning and source of one method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """What a page says about a method once it has been seen at work."""

    formula: str
    symbols: str
    source: str
    meaning: str = ""
