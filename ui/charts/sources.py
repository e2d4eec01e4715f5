"""An any-to-any backdoor as a table: which class is sent where by which trigger."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.charts import scaled
from ui.charts.once import once


def sources(shares: list[list[float]], names: Sequence[str], *, height: int = 330) -> None:
    """Share of each true class (row) that each class's trigger (column) sends to that class; the diagonal is empty."""
    _sources(shares, names, scaled(height))


@once
def _sources(shares: list[list[float]], names: Sequence[str], height: int) -> None:
    import altair as alt
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"true": names[y], "trigger": names[c], "share": share, "label": f"{100 * share:.0f}"}
        for y, line in enumerate(shares)
        for c, share in enumerate(line)
        if not math.isnan(share)
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X(
            "trigger:N", sort=list(names), title="trigger of the class",
            axis=alt.Axis(labelAngle=-60, labelLimit=70, labelOverlap=False),
        ),
        y=alt.Y("true:N", sort=list(names), title="true class", axis=alt.Axis(labelLimit=80, labelOverlap=False)),
    )  # fmt: skip
    cells = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None),
        tooltip=["true:N", "trigger:N", alt.Tooltip("share:Q", format=".1%")],
    )
    text = base.mark_text(fontSize=scaled(10)).encode(
        text="label:N", color=alt.condition("datum.share > 0.55", alt.value("#000000"), alt.value("#FFFFFF"))
    )
    chart: Any = cells + text if len(names) <= 12 else cells
    known = [row["share"] for row in rows]
    said = f"Mean {100 * sum(known) / len(known):.0f} percent of the pictures reach the trigger's class."
    st.altair_chart(chart.properties(height=height), width="stretch", alt=said)
