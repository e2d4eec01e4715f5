"""How far the weights moved: a histogram of relative change."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.once import once


def relative(counts: Sequence[int], edges: Sequence[float], median: float, *, height: int = 200) -> None:
    """Weights by abs(dw) / abs(w), on a log scale, with a rule at the median."""
    _relative(counts, edges, median, scaled(height))


@once
def _relative(counts: Sequence[int], edges: Sequence[float], median: float, height: int) -> None:
    import altair as alt
    import pandas as pd

    total = sum(counts) or 1
    rows = [
        {"from": low, "to": high, "share": count / total, "weights": count}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]
    scale = alt.Scale(type="log", domain=[edges[0], edges[-1]])
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X(
                "from:Q", scale=scale, title="change of a weight / its size", axis=alt.Axis(format="~e", tickCount=7)
            ),
            x2="to:Q",
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=4)),
            tooltip=[alt.Tooltip("from:Q", format=".1e"), alt.Tooltip("to:Q", format=".1e"), "weights:Q"],
        )
    )
    rule = alt.Chart(pd.DataFrame({"x": [max(median, edges[0])]})).mark_rule(strokeDash=[4, 3], color=GREY)
    chart = bars + rule.encode(x=alt.X("x:Q", scale=scale))
    said = f"Half of the weights moved by less than {100 * median:.2g} percent of their size."
    st.altair_chart(chart.properties(height=height), width="stretch", alt=said)
