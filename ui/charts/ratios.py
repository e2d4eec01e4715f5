"""Local against global: how large a change must be inside a region, against one everywhere."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.once import once


@once
def ratios(figures: dict[str, float], counts: dict[str, int], *, height: int = 150) -> None:
    """Local against global norms on a log scale, with 95 % intervals: left of the line the local attack needs less."""
    import altair as alt
    import pandas as pd

    words = {"l0": "L0", "l2": "L2", "linf": "L∞"}
    rows: list[dict[str, Any]] = [
        {"norm": text, "ratio": figures[f"median/{name}"], "label": f"{figures[f'median/{name}']:.2f}×",
         "low": figures.get(f"low/{name}"), "high": figures.get(f"high/{name}")}
        for name, text in words.items()
        if figures.get(f"median/{name}", 0) > 0
    ]  # fmt: skip
    if not rows:
        st.caption("Both attacks succeed on no picture, so there is nothing to compare.")
        return
    n = counts.get("median/l2", 0)
    ends = [value for row in rows for value in (row["ratio"], row["low"], row["high"]) if value]
    domain = [10.0 ** min(-1, math.floor(math.log10(min(ends)))), 10.0 ** max(1, math.ceil(math.log10(max(ends))))]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("norm:N", sort=list(words.values()), title=None, axis=alt.Axis(labelLimit=150)),
        x=alt.X(
            "ratio:Q", scale=alt.Scale(type="log", domain=domain),
            axis=alt.Axis(values=[domain[0], 1, domain[1]],
                          title=["region / whole", "median, 95 % interval", f"n = {n}"]),
        ),
    )  # fmt: skip
    even = alt.Chart(pd.DataFrame({"x": [1]})).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="x:Q")
    known = base.transform_filter("isValid(datum.low)")
    bars = known.mark_rule(strokeWidth=3, color=GREY).encode(x="low:Q", x2="high:Q")
    dots = base.mark_point(filled=True, size=110).encode(tooltip=["norm:N", "label:N"])
    text = base.mark_text(align="left", dx=8, dy=-11, fontSize=scaled(12), color=GREY).encode(text="label:N")
    said = ", ".join(_said(row) for row in rows)
    chart = (even + bars + dots + text).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"Local over global: {said}.")


def _said(row: dict[str, Any]) -> str:
    ends = "" if row["low"] is None else f" (95 % interval {row['low']:.2f} to {row['high']:.2f})"
    return f"{row['norm']} {row['label']}{ends}"
