"""Accuracy against the budget of an attack, and the loss along the steps of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.charts import line_legend, scaled
from ui.charts.once import once


@once
def budgets(
    rows: Sequence[dict[str, Any]], names: Sequence[str], unit: str, title: str = "right under attack", *,
    height: int = 380,
) -> None:  # fmt: skip
    """A line per name with its 95 % interval.

    rows : "name", "budget", "share", "n"
    unit, title : of the budgets and of the shares, for the axes
    """
    import altair as alt
    import pandas as pd

    from core.metrics import wilson

    rows = [row | dict(zip(("low", "high"), wilson(row["share"], row["n"]), strict=True)) for row in rows]
    largest = max(row["budget"] for row in rows)
    x = alt.X("budget:Q", title=unit, scale=alt.Scale(domain=[0, max(largest, 1e-3)], nice=False))
    columns = 1 if max(map(len, names)) > 15 else 2  # as many as a phone has room for
    scale, legend = alt.Scale(domain=[0, 1]), line_legend(orient="bottom", columns=columns, labelLimit=240)
    shared: dict[str, Any] = {"sort": list(names), "scale": alt.Scale(domain=list(names)), "legend": legend}
    base = alt.Chart(pd.DataFrame(rows)).encode(x=x, color=alt.Color("name:N", **shared))
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dashes = {**shared, "scale": alt.Scale(domain=list(names), range=DASHES[: len(names)])}
    line = base.mark_line(strokeWidth=2.5, point=True).encode(
        y=alt.Y("share:Q", scale=scale, title=title, axis=alt.Axis(format="%", tickCount=5)),
        strokeDash=alt.StrokeDash("name:N", **dashes),
        tooltip=["name:N", alt.Tooltip("budget:Q", format=".3g"), alt.Tooltip("share:Q", format=".1%"), "n:Q"],
    )  # fmt: skip
    last = {row["name"]: row for row in rows}
    said = "; ".join(f"{name} {row['share']:.0%} at {row['budget']:.3g}" for name, row in last.items())
    st.altair_chart((band + line).properties(height=scaled(height)), width="stretch",
                    alt=f"{title.capitalize()} against {unit}. {said}.")  # fmt: skip


DASHES = ([1, 0], [7, 3], [2, 2], [9, 2, 2, 2], [4, 4, 1, 4])


SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""As many as share no factor with the dashes: the first 35 lines differ in one of them."""

MARKED = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Steps with a tick, and with a mark on each line; the last step of a line has one too."""


@once
def paths(series: dict[str, list[float]], *, height: int = 380) -> None:
    """The loss of the picture at each step of each attack, steps on a logarithmic axis."""
    import altair as alt
    import pandas as pd

    rows = [
        {"attack": name, "step": step, "loss": loss, "marked": step in MARKED or step == len(path)}
        for name, path in series.items() for step, loss in enumerate(path, start=1)
    ]  # fmt: skip
    names = list(series)

    def cycled(values: Sequence[Any]) -> Any:
        return alt.Scale(domain=names, range=[values[place % len(values)] for place in range(len(names))])

    legend = alt.Legend(title=None, orient="bottom", columns=3, labelLimit=200, symbolSize=80,
                        symbolStrokeWidth=0)  # else the dashes of the lines run around the marks
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("step:Q", title="gradient step", scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(values=list(MARKED))),
        y=alt.Y("loss:Q", title="loss (nats)"),
        color=alt.Color("attack:N", sort=names, scale=alt.Scale(domain=names), legend=legend),
    )  # fmt: skip
    dash = alt.StrokeDash("attack:N", scale=cycled(DASHES), legend=None)
    lines = base.mark_line(strokeWidth=2).encode(strokeDash=dash)
    marks = base.transform_filter("datum.marked").mark_point(filled=True, size=60, opacity=1).encode(
        shape=alt.Shape("attack:N", sort=names, scale=cycled(SHAPES), legend=legend),
        tooltip=["attack:N", "step:Q", alt.Tooltip("loss:Q", format=".3f")],
    )  # fmt: skip
    said = "; ".join(f"{name} {path[-1]:.2f} after {len(path)}" for name, path in series.items())
    st.altair_chart((lines + marks).properties(height=scaled(height)), width="stretch",
                    alt=f"Loss by step. Last: {said}.")  # fmt: skip
