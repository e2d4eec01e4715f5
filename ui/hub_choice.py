"""A choice that comes from the Hub: its commit, the data that fit it, and whether model and data do."""

from __future__ import annotations

import streamlit as st

from ui.errors import plain


def named(address: str, kind: str) -> str:
    """The name of what a web address of the Hub leads to."""
    from core.data.hub_names import from_address

    return from_address(address, kind)


def pinned(ref: str, kind: str) -> str:
    """A model or data set of the Hub with its commit in place of a branch; as it is where nobody can tell it."""
    return _pinned(ref, kind) if ref.startswith("hf:") else ref


@st.cache_data(ttl=60, max_entries=256, show_spinner=False)
def _pinned(ref: str, kind: str) -> str:
    from core.data.fetch import pinned

    try:
        return pinned(ref, kind)
    except ValueError:
        return ref  # whoever loads it says why


def revision(ref: str) -> None:
    """The commit behind a name of the Hub."""
    name, _, commit = ref.partition("@")
    if name.startswith("hf:") and commit:
        st.caption(f"Revision `{plain(ValueError(commit))}`")


@st.cache_data(ttl=60, max_entries=256, show_spinner=False)
def data_for(ref: str) -> str:
    """Data with the classes of a model of the Hub; "" where none are known."""
    from lab.fit import data_for

    return data_for(ref)


@st.cache_data(ttl=60, max_entries=256, show_spinner=False)
def misfit(model: str, data: str) -> str:
    """Why the classes of model and data do not fit, "" where they do or nobody knows."""
    from lab.fit import misfit

    return misfit(model, data)


def note_misfit(model: str, data: str) -> None:
    """In the sidebar: that the classes of model and data do not fit; a card may have to be asked for."""
    if not model.startswith((f"zoo:{data}-", "run:")) and (said := misfit(model, data)):
        told = ":material/warning: The model does not know the classes of these data."
        st.caption(told, help=plain(ValueError(said)))
