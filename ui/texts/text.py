"""A text: formula, symbols, meaning and source of one method or score, and the formula step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.results import Result

Place = tuple[str, int]
"""A channel: its layer and its number."""


@dataclass(frozen=True)
class Step:
    """One term of a formula: what it is, in words, and the formula with the numbers of a run filled in."""

    words: str
    formula: str


@dataclass(frozen=True)
class Text:
    """What a page says about a method once it has been seen at work.

    steps : the formula's terms with the numbers of a finished run, for one channel where a page names one; what the
        result does not hold is left out
    """

    formula: str
    symbols: str
    source: str
    meaning: str = ""
    steps: Callable[[Result, Place | None], list[Step]] | None = None
