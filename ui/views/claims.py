"""A claim on its page: its verdict, the figures behind it, and the way to its experiment."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING

import streamlit as st

from ui.navigation import pages
from ui.pages import page_of

if TYPE_CHECKING:
    from lab.claims import Verdict

MARKS = {
    "holds": ":green[:material/check_circle:]", "holds in part": ":orange[:material/contrast:]",
    "does not hold at our scale": ":red[:material/cancel:]", "not tested": ":grey[:material/help:]",
}  # fmt: skip
OUTCOMES = {
    "met": ":green[:material/check:]", "unclear": ":orange[:material/question_mark:]",
    "missed": ":red[:material/close:]", "no figure": ":grey[:material/remove:]",
}  # fmt: skip


def claim(verdict: Verdict, query: Mapping[str, str]) -> None:
    """One claim, closed: opened, it shows test, figures, reason and the link to its experiment with `query` set."""
    from lab.claims import text

    with st.expander(f"{MARKS[verdict.word]} {verdict.claim.says}"):
        st.markdown(f"**{verdict.word.capitalize()}.** Test: {verdict.claim.experiment}")
        marks = [OUTCOMES[finding.outcome] for finding in verdict.findings]
        told = text.figures(verdict)
        lines = [f"- {mark} {words}" for mark, words in zip_longest(marks, told, fillvalue="")]
        st.markdown("\n".join(lines))
        if why := text.reason(verdict):
            st.markdown(why)
        page = page_of(verdict.claim.page)
        st.page_link(
            pages()[page.slug], label=f"Try it at a small scale: {page.title}", icon=f":material/{page.icon}:",
            query_params=dict(query),
        )  # fmt: skip
