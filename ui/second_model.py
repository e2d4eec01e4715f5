"""A second model beside the chosen one, of the same shape, so that both can be moved along the same directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import recent
from ui.sidebar import spelled
from ui.widgets import link

if TYPE_CHECKING:
    from models import Classifier
    from ui.sidebar import Choice

NONE = "no other model"


def draw(choice: Choice, model: Classifier) -> str:
    """The picker; "" where there is to be none. A model of another shape is refused by the run, in a sentence."""
    import models

    card = model.card
    alike = [
        other.ref for other in models.available()
        if (other.architecture, other.parameters, other.data) == (card.architecture, card.parameters, card.data)
        and other.ref != choice.model
    ]  # fmt: skip
    alike.sort(key=lambda ref: (models.shipped(ref).backdoored, ref))  # type: ignore[union-attr]
    chosen = st.selectbox(
        "Compare with", recent.listed("model", [NONE, *alike], "other"), key="other", accept_new_options=True,
        help="A model of the same architecture, on the same directions and pictures.", **link.BOUND,
    )  # fmt: skip
    return "" if chosen in (None, NONE) else spelled(chosen)
