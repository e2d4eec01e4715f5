"""The model that takes the place of a chosen one which does not fit the page's experiment."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import model_choice
from ui.sidebar import Choice


def any_to_any(choice: Choice) -> Choice:
    """The choice, if its model has a trigger for every class; else a shipped one that has takes its place."""
    able = any_to_any_models()
    if choice.model in able:
        model_choice.note()
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
    model_choice.swap(near[0], f"{choice.model} has no trigger for every class")
    return choice


def clean(choice: Choice) -> Choice:
    """The choice, unless its model is backdoored already; then the clean one of the same data takes its place."""
    import models

    cards = {card.ref: card for card in models.available()}
    twin = f"zoo:{choice.data}-clean"
    card = cards.get(choice.model)
    if card is not None and card.backdoored and twin in cards:
        model_choice.swap(twin, f"{choice.model} is backdoored already")
    model_choice.note()
    return choice


def any_to_any_models() -> list[str]:
    """The shipped models that have a trigger for every class, first those of generated data, which need no network."""
    import models
    from core.data.modes import ANY_TO_ANY

    able = [card.ref for card in models.available() if _mode(card.recipe) == ANY_TO_ANY]
    return sorted(able, key=lambda ref: not ref.startswith("zoo:scenes-"))


def _mode(recipe: dict[str, Any]) -> str:
    """The mode of the poison in a training's recipe; "" where there is none."""
    return ((recipe.get("method") or {}).get("poison") or {}).get("mode", "")
