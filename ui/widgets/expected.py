"""Beside Start: about how long a run will take, where that is long."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from lab.lru_cache import LRUCache

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.running.estimate import Estimate

_told: LRUCache[tuple[Estimate | None]] = LRUCache(256, seconds=60.0)
"""What was found for a run, for a minute: each rerun of a page asks."""

LONG = 60.0
"""Seconds from which on it is said: a shorter run is watched."""


def time_of(recipe: Recipe) -> None:
    """A line with the expected time of a run, and what it is expected from; nothing for a short or unknown one."""
    from lab.running.estimate import estimate

    # What cannot be had or computed, the page or the run says; what would have to wait for a job is said later.
    with suppress(ValueError, RuntimeError):
        (found,) = _told.get_or_make(recipe.to_json(), lambda: (estimate(recipe, wait=False),))
        if found is not None and found.seconds >= LONG:
            st.caption(f":material/schedule: Takes about {in_words(found.seconds)} here.", help=" ".join(found.told))


def in_words(seconds: float) -> str:
    """A time that is only roughly known: "40 s", "6 min", "2.5 h"."""
    if seconds < 90:
        return f"{10 * round(seconds / 10)} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
