"""Values of a link that a page cannot use: Streamlit drops them silently, so the lab says so."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from ui.errors import plain


def of_link() -> dict[str, str]:
    """What the address asks of controls that have not been drawn yet in this visit, by the control's key.

    A number beyond any float ends the page with a sentence: Streamlit's number fields break on it.
    """
    query = st.query_params.to_dict()
    for key, text in query.items():
        if _endless(text):
            said = f"The link says {key} = {text[:40]}, a number out of range; remove it from the address."
            st.error(plain(ValueError(said)), icon=":material/link_off:")
            st.stop()
    return {key: text for key, text in query.items() if key not in st.session_state}


def _endless(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def tell(asked: dict[str, str], doubt: str = "") -> None:
    """A sentence for the link's version, and for each value of `asked` that its control, now drawn, did not take.

    doubt : what else is wrong with the link

    A sentence stays until its control is moved. Knobs (`tsbd-steps`) tell their own, with their range.
    """
    told: dict[str, tuple[Any, str]] = st.session_state.setdefault("link-doubts", {})
    for key, text in asked.items():
        if "-" not in key and key in st.session_state and not _same(st.session_state[key], text):
            used = st.session_state[key]
            told[key] = used, f"The link says {key} = {text[:40]}, which is not available here; {used} is used."
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


def _same(value: Any, text: str) -> bool:
    """Whether a control's value is what the link wrote: 3 and "3.0" are the same, and True and "true"."""
    if str(value) == text or (isinstance(value, bool) and str(value).lower() == text.lower()):
        return True
    try:
        return float(value) == float(text)
    except (TypeError, ValueError, OverflowError):
        return False
