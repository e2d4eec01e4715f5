"""The model that stands in where the chosen one does not fit a page's experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from ui.frame import Choice, own_data


def any_to_any(choice: Choice) -> Choice:
    """The choice, if its model has a trigger for every class; else the shipped one that has, and a word about it."""
    import models

    able = [card.ref for card in models.available() if _mode(card.recipe) == "any-to-any"]
    if choice.model in able:
        return choice
    same = [ref for ref in able if ref.startswith(f"zoo:{choice.data}-")] or able
    if not same:
        st.info("No model with a trigger for every class is shipped with this lab.", icon=":material/info:")
        st.stop()
    st.caption(f":material/info: {choice.model} has no trigger for every class; shown is {same[0]}.")
    return replace(choice, model=same[0], data=own_data(same[0]))


def clean(choice: Choice) -> Choice:
    """The choice, unless its model is backdoored already; then the clean one of the same data, and a word about it."""
    import models

    cards = {card.ref: card for card in models.available()}
    twin = f"zoo:{choice.data}-clean"
    card = cards.get(choice.model)
    if card is None or not card.backdoored or twin not in cards:
        return choice
    st.caption(f":material/info: {choice.model} is backdoored already; shown is {twin}.")
    return replace(choice, model=twin)


def _mode(recipe: dict[str, Any]) -> str:
    """The mode of the poison in a training's recipe; "" where there is none."""
    return ((recipe.get("method") or {}).get("poison") or {}).get("mode", "")
