"""Searching the Hub for a model or a data set: filters, what each hit is, and what was used last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui import recent
from ui.errors import in_a_sentence, plain

if TYPE_CHECKING:
    from core.data.hub_sets import SetHit
    from models.hub_search import HubHit

SIZES = {"Any size": None, "≤ 1 M parameters": 10**6, "≤ 10 M parameters": 10**7, "≤ 50 M parameters": 5 * 10**7}
"""Most parameters, by what the filter says."""

Take = Callable[[str], None]
"""What a click does with a name: it becomes the choice."""


def models(take: Take) -> None:
    """Look for a model; `take` is given the name that is clicked, pinned to its commit."""
    text = st.text_input("Name contains", key="hub-text", placeholder="mobilenet", type="search")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        size = st.selectbox("Parameters", list(SIZES), key="hub-size", label_visibility="collapsed", width=170)
        fits = st.toggle(
            "timm layout", value=True, key="hub-fits",
            help="Only models in timm's layout with safetensors weights, which the lab can load. Without it, the list "
            "says of each other image classifier why it cannot be loaded.",
        )  # fmt: skip
    if text or SIZES[size]:
        with in_a_sentence(stop=False), st.spinner("Asking the Hub"):
            _list(_models(text, fits, SIZES[size]), _of_model, take)
    else:
        st.caption("Searches the Hugging Face Hub for image classifiers. Needs a network.")
    _recent("model", take)


def data(take: Take) -> None:
    """Look for a data set."""
    text = st.text_input("Search the Hub", key="data-text", placeholder="imagenet", type="search")
    if text:
        with in_a_sentence(stop=False), st.spinner("Asking the Hub"):
            _list(_sets(text), _of_set, take)
    _recent("data", take)


@st.cache_data(ttl=600, max_entries=64, show_spinner=False)
def _models(text: str, fits: bool, most: int | None) -> list[HubHit]:
    from models.hub_search import search_hub

    return search_hub(text, timm_only=fits, most_parameters=most)


@st.cache_data(ttl=600, max_entries=64, show_spinner=False)
def _sets(text: str) -> list[SetHit]:
    from core.data.hub_sets import search_sets

    return search_sets(text)


def _list(hits: list, words: Callable[..., list[str]], take: Take) -> None:
    if not hits:
        st.caption("Nothing found; try a shorter name or other filters.")
    for hit in hits:
        name = hit.ref.removeprefix("hf:").split("@")[0]
        with st.container(gap=None):
            st.button(name, key=f"take-{hit.ref}", on_click=take, args=(hit.ref,), disabled=bool(hit.problem),
                      width="stretch", help=f"Revision {hit.ref.split('@')[1]}")  # fmt: skip
            st.caption(" · ".join(words(hit)))
            if hit.problem:
                st.caption(f":material/block: {plain(ValueError(hit.problem))}")


def _of_model(hit: HubHit) -> list[str]:
    size = f"{hit.parameters / 1e6:.2g} million parameters" if hit.parameters else "parameters unknown"
    known = [f"{hit.input_size[1]} × {hit.input_size[2]} px", f"{hit.classes:,} classes"] if hit.input_size else []
    return [size, *known, *_common(hit)]


def _of_set(hit: SetHit) -> list[str]:
    classes = f"{hit.about.classes:,} classes" if hit.about.classes else "classes unknown"
    return [f"rows: {hit.rows}" if hit.rows else "rows unknown", classes, *_common(hit)]


def _common(hit: HubHit | SetHit) -> list[str]:
    return [f"licence: {hit.licence}", f"{hit.downloads:,} downloads"]


def _recent(what: str, take: Take) -> None:
    names = recent.of(what)
    if names:
        st.caption("Used last")
    for name in names:
        st.button(name.removeprefix("hf:").split("@")[0], key=f"again-{name}", on_click=take, args=(name,),
                  type="tertiary", icon=":material/history:", help=name)  # fmt: skip
