"""Local against global: how large a change must be inside a region, against one everywhere."""

from __future__ import annotations

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.once import once


@once
def ratios(figures: dict[str, float], counts: dict[str, int], *, height: int = 150) -> None:
    """Local against global norms on a log scale: left of the line the local attack needs less."""
    import altair as alt
    import pandas as pd

    words = {"l0": "L0", "l2": "L2", "linf": "L∞"}
    rows = [
        {"norm": text, "ratio": figures[f"median/{name}"], "label": f"{figures[f'median/{name}']:.2f}×"}
        for name, text in words.items()
        if figures.get(f"median/{name}", 0) > 0
    ]
    if not rows:
        st.caption("Both attacks succeed on no picture, so there is nothing to compare.")
        return
    n = counts.get("median/l2", 0)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("norm:N", sort=list(words.values()), title=None, axis=alt.Axis(labelLimit=150)),
        x=alt.X(
            "ratio:Q", scale=alt.Scale(type="log", domain=[0.1, 10], clamp=True),
            axis=alt.Axis(values=[0.1, 1, 10], title=["region / whole", f"median, n = {n}"]),
        ),
    )  # fmt: skip
    even = alt.Chart(pd.DataFrame({"x": [1]})).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="x:Q")
    dots = base.mark_point(filled=True, size=110).encode(tooltip=["norm:N", "label:N"])
    text = base.mark_text(align="left", dx=8, dy=-11, fontSize=scaled(12), color=GREY).encode(text="label:N")
    said = ", ".join(f"{row['norm']} {row['label']}" for row in rows)
    chart = (even + dots + text).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"Local over global: {said}.")
