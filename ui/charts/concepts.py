"""Concepts: recall against false positives, the classes' scores beside random concepts, and answers along a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once


@once
def recalls(dots: dict[str, Any], curves: dict[str, Any], *, height: int) -> None:
    """A dot per random set and method, at its recall and false positives, and the ROC curve of the first set.

    dots : by method, (R, 2): recall, false positive rate; curves : by method, (2, P)
    """
    import altair as alt
    import pandas as pd

    names = list(dots)
    points = [
        {"method": name, "recall": recall, "fpr": fpr} for name, rows in dots.items() for recall, fpr in rows.tolist()
    ]
    steps = [
        {"method": name, "recall": y, "fpr": x, "order": place}
        for name, (xs, ys) in curves.items()
        for place, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True))
    ]
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("fpr:Q", title="false positives", scale=alt.Scale(domain=[0, 1]), axis=axis)
    y = alt.Y("recall:Q", title="recall", scale=alt.Scale(domain=[0, 1]), axis=axis)
    legend, colour = line_legend(orient="bottom"), alt.Color("method:N", sort=names, legend=None)
    dash = alt.StrokeDash("method:N", sort=names, legend=legend, scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]))
    lines = alt.Chart(pd.DataFrame(steps)).mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=x, y=y, color=colour, strokeDash=dash, order="order:Q"
    )
    marks = alt.Chart(pd.DataFrame(points)).mark_point(filled=True, size=55, opacity=0.7).encode(
        x=x, y=y, color=colour, shape=alt.Shape("method:N", sort=names, legend=None),
        tooltip=["method:N", alt.Tooltip("recall:Q", format=".1%"), alt.Tooltip("fpr:Q", format=".1%")],
    )
    rule = alt.Chart(pd.DataFrame({"fpr": [0.05]})).mark_rule(color=GREY, strokeDash=[2, 2]).encode(x="fpr:Q")
    said = "; ".join(
        f"{name}: recall {100 * float(rows[:, 0].mean()):.0f} percent at {100 * float(rows[:, 1].mean()):.0f} percent "
        "false positives" for name, rows in dots.items()
    )
    st.altair_chart((rule + lines + marks).properties(height=scaled(height)), width="stretch", alt=f"{said}.")


@once
def scores(names: Sequence[str], sets: Any, controls: Any, p: Sequence[float], *, height: int) -> None:
    """For each class the mean score, a dot per random set, and the range of the random concepts.

    sets : (R, K); controls : (B, K)
    """
    import altair as alt
    import pandas as pd

    order = list(names)
    rows = [
        {
            "class": name, "score": float(sets[:, k].mean()), "low": float(controls[:, k].min()),
            "high": float(controls[:, k].max()), "p": p[k], "label": f"p = {p[k]:.2f}",
        }
        for k, name in enumerate(order)
    ]  # fmt: skip
    dots = [{"class": name, "score": one} for k, name in enumerate(order) for one in sets[:, k].tolist()]
    y = alt.Y("class:N", sort=order, title=None, axis=alt.Axis(labelLimit=130))
    scale = alt.Scale(domain=[0, 1.2])
    x = alt.X("score:Q", title="TCAV score", scale=scale, axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1]))
    base = alt.Chart(pd.DataFrame(rows)).encode(y=y)
    band = base.mark_bar(size=15, color=GREY, opacity=0.28).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    mean = base.mark_tick(thickness=4, size=17).encode(
        x=x,
        tooltip=["class:N", alt.Tooltip("score:Q", format=".2f"), alt.Tooltip("low:Q", format=".2f"),
                 alt.Tooltip("high:Q", format=".2f"), alt.Tooltip("p:Q", format=".3f")],
    )  # fmt: skip
    marks = alt.Chart(pd.DataFrame(dots)).mark_point(size=18, opacity=0.5).encode(x=x, y=y)
    told = base.mark_text(align="left", fontSize=scaled(11), color=GREY).encode(x=alt.datum(1.04), text="label:N")
    said = ", ".join(f"{row['class']} {row['score']:.2f} (p = {row['p']:.2f})" for row in rows)
    chart = (band + marks + mean + told).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"TCAV score of each class: {said}.")


@once
def along(names: Sequence[str], strengths: Any, shares: Any, now: float, *, height: int) -> None:
    """The likeliest classes' shares (S, K) over the strength (S,) with which the concept is added; a rule at `now`."""
    import altair as alt
    import pandas as pd

    leading = sorted(range(len(names)), key=lambda k: -float(shares[:, k].max()))[:4]
    order = [names[k] for k in leading]
    rows = [
        {"class": names[k], "strength": float(s), "share": float(shares[i, k])}
        for k in leading for i, s in enumerate(strengths)
    ]  # fmt: skip
    x = alt.X("strength:Q", title="removed (−) or added (+)", axis=alt.Axis(tickCount=7))
    legend = line_legend(orient="bottom", columns=2)
    dashes = [[1, 0], [7, 3], [2, 2], [8, 3, 2, 3]][: len(order)]
    lines = alt.Chart(pd.DataFrame(rows)).mark_line(strokeWidth=2.5).encode(
        x=x, y=alt.Y("share:Q", title="softmax", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        color=alt.Color("class:N", sort=order, legend=legend, scale=alt.Scale(domain=order)),
        strokeDash=alt.StrokeDash("class:N", sort=order, legend=legend, scale=alt.Scale(domain=order, range=dashes)),
        tooltip=["class:N", "strength:Q", alt.Tooltip("share:Q", format=".1%")],
    )
    rule = alt.Chart(pd.DataFrame({"strength": [now]})).mark_rule(color=GREY, strokeWidth=2).encode(x="strength:Q")
    said = f"Softmax of {', '.join(order)} as the concept is removed or added."
    st.altair_chart((lines + rule).properties(height=scaled(height)), width="stretch", alt=said)
