"""Formula, symbols, meaning and source of each method, for the end of its page.

Each file of this folder that holds `TEXTS` adds its own, by the method's name; one that holds `SCORES`, by the key of
a score.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from ui.texts.scores import BEC, DER
from ui.texts.text import Text

__all__ = ["BEC", "DER", "Text", "all_scores", "all_texts", "of", "tables"]


def tables(name: str = "TEXTS") -> list[dict[str, Text]]:
    """The texts of each file."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    return [getattr(module, name) for module in modules if hasattr(module, name)]


@functools.cache
def all_texts() -> dict[str, Text]:
    """The texts of all methods, by name."""
    return {name: text for table in tables() for name, text in table.items()}


@functools.cache
def all_scores() -> dict[str, Text]:
    """The texts of scores, by key; one without a formula has none."""
    return {key: text for table in tables("SCORES") for key, text in table.items()}


def of(name: str) -> Text:
    """The text of the method called `name`; KeyError where it has none."""
    return all_texts()[name]
