"""The model that a page uses where the chosen one does not fit its experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from ui.sidebar import Choice, own_data


def any_to_any(choice: Choice) -> Choice:
    """The choice, if its model has a trigger for every class; else a shipped one that has, and a note about it."""
    able = any_to_any_models()
    if choice.model in able:
        return choice
    # Of the same data, else of the generated ones, which need no network.
    near = [ref for data in (choice.data, "scenes") for ref in able if ref.startswith(f"zoo:{data}-")]
    if not near:
        st.info(
            f"{choice.model} has no trigger for every class. Choose a model in the sidebar that has, such as "
            f"{able[0] if able else 'one that Flareon trained'}.",
            icon=":material/info:",
        )
        st.stop()
    st.caption(f":material/info: {choice.model} has no trigger for every class; this page shows {near[0]} instead.")
    return replace(choice, model=near[0], data=own_data(near[0]))


def clean(choice: Choice) -> Choice:
    """The choice, unless its model is backdoored already; then the clean one of the same data, and a note about it."""
    import models

    cards = {card.ref: card for card in models.available()}
    twin = f"zoo:{choice.data}-clean"
    card = cards.get(choice.model)
    if card is None or not card.backdoored or twin not in cards:
        return choice
    st.caption(f":material/info: {choice.model} is backdoored already; this page shows {twin} instead.")
    return replace(choice, model=twin)


def any_to_any_models() -> list[str]:
    """The shipped models that have a trigger for every class, first those of generated data, which need no network."""
    import models
    from core.data.modes import ANY_TO_ANY

    able = [card.ref for card in models.available() if _mode(card.recipe) == ANY_TO_ANY]
    return sorted(able, key=lambda ref: not ref.startswith("zoo:scenes-"))


def _mode(recipe: dict[str, Any]) -> str:
    """The mode of the poison in a training's recipe; "" where there is none."""
    return ((recipe.get("method") or {}).get("poison") or {}).get("mode", "")
