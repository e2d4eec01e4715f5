"""Values of a link that a page cannot use: Streamlit drops them silently, so the lab says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.errors import plain


def of_link() -> dict[str, list[str]]:
    """What the address asks of controls that have not been drawn yet in this visit, by the control's key: a word, or
    several of a list.

    A number beyond any float ends the page with a sentence: Streamlit's number fields break on it.
    """
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    for key, texts in query.items():
        if any(map(_endless, texts)):
            said = f"The link says {key} = {_listed(texts)}, a number out of range; remove it from the address."
            st.error(plain(ValueError(said)), icon=":material/link_off:")
            st.stop()
    return {key: texts for key, texts in query.items() if key not in st.session_state}


def _endless(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def _listed(texts: Sequence[str]) -> str:
    """What a link says, cut where it is long."""
    return ", ".join(texts)[:40]


def tell(asked: dict[str, list[str]], doubt: str = "") -> None:
    """A sentence for the link's version, and for each value of `asked` that its control, now drawn, did not take.

    doubt : what else is wrong with the link

    A sentence stays until its control is moved. Knobs (`tsbd-steps`) tell their own, with their range.
    """
    told: dict[str, tuple[Any, str]] = st.session_state.setdefault("link-doubts", {})
    for key, texts in asked.items():
        if "-" not in key and key in st.session_state and not _same(st.session_state[key], texts):
            used = st.session_state[key]
            instead = f"{_shown(used)} {'are' if isinstance(used, list) and len(used) > 1 else 'is'} used"
            told[key] = used, f"The link says {key} = {_listed(texts)}, which is not available here; {instead}."
    version = st.query_params.get("v", "1")
    if version != "1":
        st.warning(plain(ValueError(
            f"This link has version {version[:40]}, and this lab reads version 1; some settings may be lost."
        )), icon=":material/link_off:")  # fmt: skip
    if doubt:
        st.warning(plain(ValueError(doubt)), icon=":material/link_off:")
    for key, (used, sentence) in told.items():
        if st.session_state.get(key) == used:
            st.warning(plain(ValueError(sentence)), icon=":material/link_off:")


def _shown(value: Any) -> str:
    """A control's value in words; of a list, its entries."""
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def _same(value: Any, texts: Sequence[str]) -> bool:
    """Whether a control's value is what the link wrote: 3 and "3.0" are the same, True and "true", and a list and its
    entries; of a control that takes one value, the last one counts."""
    if isinstance(value, list):
        return [str(one) for one in value] == [text for text in texts if text]
    text = texts[-1]
    if str(value) == text or (isinstance(value, bool) and str(value).lower() == text.lower()):
        return True
    try:
        return float(value) == float(text)
    except (TypeError, ValueError, OverflowError):
        return False
