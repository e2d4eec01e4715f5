"""Formulas step by step: each term with the numbers of the page's finished run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui import texts
from ui.widgets.formula import inline

if TYPE_CHECKING:
    from lab.results import Result
    from ui.texts.text import Place, Text


def expander(result: Result | None, about: Sequence[Text], place: Place | None = None) -> None:
    """The formulas of `about` and of the result's scores; nothing is computed while it is closed.

    place : the channel that the page has chosen, for formulas of one channel
    """
    box = st.expander("Step by step, with the numbers of this run", icon=":material/calculate:", key="steps",
                      on_change="rerun")  # fmt: skip
    if not box.open:
        return
    with box:
        if result is None:
            st.caption("The numbers appear here when the run has finished.")
            return
        scored = [texts.all_scores().get(score.key) for score in result.recipe.kind.scores]
        for text in dict.fromkeys([*about, *filter(None, scored)]):
            _formula(text, result, place)


def _formula(text: Text, result: Result, place: Place | None) -> None:
    """One formula, and under it what each of its terms is in this run."""
    steps = text.steps(result, place) if text.steps is not None else []
    if not steps:
        return
    st.markdown(inline(text.formula))
    for step in steps:
        st.markdown(f"- {step.words}  \n  {inline(step.formula)}")
