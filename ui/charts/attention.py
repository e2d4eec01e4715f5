"""Explanation consistency in charts: histograms of E, and what networks answer as backgrounds change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

BINS = 20
DASHES = [[1, 0], [6, 4], [2, 3]]


@once
def histogram(series: Mapping[str, Sequence[float]], *, height: int = 230) -> None:
    """E of the same pictures for several networks, by name: outlines of histograms, with the mean of each."""
    import altair as alt
    import numpy as np
    import pandas as pd

    edges = np.linspace(0, 1, BINS + 1)
    rows, means = [], []
    for name, values in series.items():
        shares = np.histogram(values, edges)[0] / max(1, len(values))
        rows += [{"E": edge, "share": share, "network": name} for edge, share in
                 zip(edges, [*shares, shares[-1]], strict=True)]  # fmt: skip
        means.append({"mean": float(np.mean(values)), "network": name})
    names = list(series)
    colour = alt.Color("network:N", sort=names, scale=alt.Scale(domain=names),
                       legend=line_legend(orient="top", columns=1, labelLimit=300))  # fmt: skip
    dash = alt.StrokeDash("network:N", sort=names, scale=alt.Scale(domain=names, range=DASHES[: len(names)]),
                          legend=line_legend(orient="top", columns=1, labelLimit=300))  # fmt: skip
    lines = alt.Chart(pd.DataFrame(rows)).mark_line(interpolate="step-after", strokeWidth=2.5).encode(
        x=alt.X("E:Q", title="E", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5, grid=False)),
        y=alt.Y("share:Q", title="share of the pictures", axis=alt.Axis(format="%", tickCount=4)),
        color=colour, strokeDash=dash,
        tooltip=["network:N", alt.Tooltip("E:Q", format=".2f"), alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    marks = alt.Chart(pd.DataFrame(means)).mark_rule(strokeWidth=1.5).encode(
        x="mean:Q", color=colour, strokeDash=dash,
        tooltip=["network:N", alt.Tooltip("mean:Q", format=".3f")],
    )  # fmt: skip
    said = "; ".join(f"{row['network']} {row['mean']:.2f}" for row in means)
    st.altair_chart(
        (lines + marks).properties(height=scaled(height)), width="stretch",
        alt=f"Histogram of E over training pictures; means: {said}.",
    )  # fmt: skip


@once
def answers(rows: Sequence[Mapping[str, Any]], *, height: int = 260) -> None:
    """Accuracy of several networks on each set of pictures.

    rows : "network", "set", "share", and where there are several seeds "low" and "high"
    """
    import altair as alt
    import pandas as pd

    sets = list(dict.fromkeys(row["set"] for row in rows))
    names = list(dict.fromkeys(row["network"] for row in rows))
    base = alt.Chart(pd.DataFrame(list(rows))).encode(
        y=alt.Y("set:N", sort=sets, title=None, axis=alt.Axis(labelLimit=120)),
        yOffset=alt.YOffset("network:N", sort=names),
        color=alt.Color("network:N", sort=names, scale=alt.Scale(domain=names),
                        legend=alt.Legend(title=None, orient="top", columns=1, labelLimit=300)),
        tooltip=["network:N", "set:N", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("share:Q", title="right", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    )
    spread = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", color=alt.value(GREY))
    said = "; ".join(f"{row['network']}, {row['set']}: {row['share']:.0%}" for row in rows)
    st.altair_chart((bars + spread).properties(height=scaled(height)), width="stretch", alt=f"Share right: {said}.")
