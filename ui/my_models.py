"""My models: what this visit's runs have left, as models of the sidebar's list.

A model is named by its run (`lab.run_names`), so a link to it works on any server: one that does not hold the model
offers to repeat the run (`ui.widgets.my_model`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lab import run_names
from ui.visitor import visitor

if TYPE_CHECKING:
    from models import Card

NAMES, TAKEN = "own-names", "own-taken"
"""Session keys: the names that the visitor gave, by recipe; the runs whose models were taken up already."""


def options(chosen: str | None) -> list[str]:
    """This visitor's models, the newest first, as `models.load` and links take them; and the chosen one, if it is one.

    A link may bring one that this server does not hold.
    """
    mine: list[str] = []
    if st.session_state.get(TAKEN):
        from lab.own_models import own_models

        held = [own_models.find(recipe) for recipe in own_models.of(visitor())]
        mine = [model.card.ref for model in held if model is not None]
    return mine if chosen is None or not run_names.is_run(chosen) or chosen in mine else [chosen, *mine]


def by_label() -> dict[str, str]:
    """This visit's models by what the list calls them."""
    return {label(ref): ref for ref in reversed(options(None))}


def label(ref: str) -> str:
    """What the list calls a model that a run has left."""
    from lab.recipes import Recipe
    from lab.saving import called

    try:
        data = run_names.decode(ref)[0]
        return st.session_state.get(NAMES, {}).get(run_names.text_of(ref)) or called(Recipe.from_dict(data))
    except ValueError:
        return "a model of a broken link"


def about(ref: str) -> Card | None:
    """The card of a model that a run has left; None where it is not held."""
    from lab.own_models import own_models

    try:
        found = own_models.find(run_names.text_of(ref))
    except ValueError:
        return None
    return None if found is None else found.card
