"""The title and the sentence that open a page: it fits the chosen model, with a backdoor or without.

It is the first thing a visitor reads, before torch is loaded. Until then the card of a shipped model says which one
fits; of any other model, what this visit has found once it was loaded.
"""

from __future__ import annotations

import streamlit as st

from ui.widgets import lesson

FOUND = "backdoored-models"
"""Session key: the models without a shipped card that turned out to have a backdoor."""


class Opening:
    """What to watch on a page, with a model that has a backdoor and with one that has none.

    It is drawn at once for the model `ref`, which need not be loaded yet, and again where that was wrong.
    """

    def __init__(self, title: str, backdoored: str, clean: str, ref: str):
        self.title, self.backdoored, self.clean = title, backdoored, clean
        self.place, self.shown = st.empty(), expected(ref)
        self._draw("opening")

    def fit(self, backdoored: bool) -> None:
        """Make it the one for a model that has a backdoor, or none."""
        if backdoored != self.shown:
            self.shown = backdoored
            self._draw("opening-fitted")

    def _draw(self, name: str) -> None:
        with self.place.container():
            lesson.opening(self.title, self.backdoored if self.shown else self.clean, name)


def expected(ref: str) -> bool:
    """Whether a model has a backdoor, as far as is known before it is loaded."""
    import models

    card = models.shipped(ref)
    return card.backdoored if card is not None else ref in st.session_state.get(FOUND, ())


def remember(ref: str, backdoored: bool) -> None:
    """What a loaded model turned out to have."""
    found: set[str] = st.session_state.setdefault(FOUND, set())
    (found.add if backdoored else found.discard)(ref)
