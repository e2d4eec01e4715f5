"""Trust in charts: similarity as layers become random, and curves of deletion and insertion beside random orders."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once


@once
def cascade(similarity: Sequence[float], now: int, *, height: int = 200) -> None:
    """Rank correlation with the first map as more layers are random, and a rule at the stage `now`."""
    import altair as alt
    import pandas as pd

    last = len(similarity) - 1
    rows = [{"layers": i, "similarity": value} for i, value in enumerate(similarity) if value == value]
    x = alt.X("layers:Q", title="random layers, from the output down", scale=alt.Scale(domain=[0, last]),
              axis=alt.Axis(tickCount=6, grid=False))  # fmt: skip
    y = alt.Y("similarity:Q", title="rank correlation", scale=alt.Scale(domain=[-1, 1]), axis=alt.Axis(tickCount=5))
    tip = ["layers:Q", alt.Tooltip("similarity:Q", format=".2f")]
    lines = alt.Chart(pd.DataFrame(rows)).mark_line(strokeWidth=2.5, point=True).encode(x=x, y=y, tooltip=tip)
    zero = alt.Chart(pd.DataFrame({"y": [0]})).mark_rule(color=GREY, strokeDash=[2, 3]).encode(y="y:Q")
    rule = alt.Chart(pd.DataFrame({"layers": [now]})).mark_rule(color=GREY, strokeWidth=2).encode(x="layers:Q")
    said = f"Rank correlation with the first map over {last} stages; at the last {similarity[-1]:.2f}."
    st.altair_chart((zero + rule + lines).properties(height=scaled(height)), width="stretch", alt=said)


@once
def pixels(
    what: str, shares: Sequence[float], values: Sequence[float], random: Sequence[Sequence[float]], *, height: int = 210
) -> None:
    """The class's probability over the share of pixels changed: in the map's order, and in random ones.

    values : (P,); random : (R, P)
    """
    import altair as alt
    import pandas as pd

    columns = list(zip(*random, strict=True))
    mean = [sum(column) / len(column) for column in columns]
    names = ["the map's order", "random"]
    rows = [
        {"share": share, "p": p, "order": name}
        for name, line in zip(names, (values, mean), strict=True) for share, p in zip(shares, line, strict=True)
    ]  # fmt: skip
    band = [{"share": s, "low": min(c), "high": max(c)} for s, c in zip(shares, columns, strict=True)]
    x = alt.X("share:Q", title=f"pixels {what}", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    y = alt.Y("p:Q", title="p of the class", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    legend = line_legend(orient="bottom")
    lines = alt.Chart(pd.DataFrame(rows)).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=alt.Color("order:N", sort=names, legend=legend, scale=alt.Scale(domain=names)),
        strokeDash=alt.StrokeDash("order:N", sort=names, legend=legend,
                                  scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]])),
        tooltip=["order:N", alt.Tooltip("share:Q", format=".0%"), alt.Tooltip("p:Q", format=".2f")],
    )  # fmt: skip
    area = alt.Chart(pd.DataFrame(band)).mark_area(opacity=0.2, color=GREY).encode(x=x, y="low:Q", y2="high:Q")
    said = f"Probability of the class as pixels are {what}, in the map's order and in {len(random)} random ones."
    st.altair_chart((area + lines).properties(height=scaled(height)), width="stretch", alt=said)
