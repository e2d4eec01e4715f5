"""What a trigger inversion found: for each class the smallest patch that sends pictures there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.widgets.images import View, pixels, row

SHOWN = 20
"""Classes that are shown, those with the smallest patch first."""


def patches(report: Mapping[str, Any], names: Sequence[str]) -> None:
    """The patches of a Neural Cleanse report, m ⊙ p each, with the mask's norm and the anomaly index."""
    st.header("The smallest patch for each class", anchor=False)
    row(views(report, names), columns=5)
    st.caption(
        "Mask times pattern, smallest mask first; the norm counts pixels. The index says how many deviations a norm "
        "lies from the median of all classes; only a class below the median can be flagged."
        + ("" if report["meaningful"] else " With fewer than five classes none is, and the model is left unchanged.")
    )


def views(report: Mapping[str, Any], names: Sequence[str]) -> list[View]:
    """A picture for each class, from the smallest norm up, at most SHOWN."""
    made = []
    for c in report["norms"].argsort()[:SHOWN].tolist():
        norm, index, flagged = (report[name][c].item() for name in ("norms", "index", "flagged"))
        told = f"norm {norm:.1f}, index {index:.1f}"
        made.append(
            View(
                pixels(report["masks"][c] * report["patterns"][c]),
                f"**{names[c]}{' ⚑ flagged' if flagged else ''}**  \n{told}",
                f"The patch for {names[c]}: {told}{', flagged' if flagged else ''}",
            )
        )
    return made
