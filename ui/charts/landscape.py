"""Loss landscapes: slices as lines, a plane as a heat map and as a surface that can be turned."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

ANEW, KEPT = "found anew", "those of α = 0"
Grid = Sequence[Sequence[float | None]]
"""Losses by row; None where nothing is known yet."""


@once
def lines(
    alphas: Sequence[float], curves: dict[str, Grid], kept: dict[str, Grid], loss: str, *, height: int = 320
) -> None:
    """The loss over α of each model, by its name: one line per direction, and what is known of them.

    kept : the same on the examples of α = 0; {} leaves them out
    """
    import altair as alt
    import pandas as pd

    rows = [
        {"α": alpha, "loss": value, "model": name, "examples": examples, "line": f"{name} {examples} {line}"}
        for examples, group in ((ANEW, curves), (KEPT, kept))
        for name, grid in group.items() for line, row in enumerate(grid)
        for alpha, value in zip(alphas, row, strict=True) if value is not None
    ]  # fmt: skip
    names, examples = list(curves), [ANEW, KEPT] if kept else [ANEW]
    named = alt.Legend(orient="bottom", title=None, labelLimit=260, symbolSize=90, columns=2)
    of_models = named if len(names) > 1 else None
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("α:Q", scale=alt.Scale(domain=[alphas[0], alphas[-1]]), axis=alt.Axis(tickCount=5)),
        y=alt.Y("loss:Q", title=f"{loss}, nats", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5)),
        color=alt.Color("model:N", sort=names, legend=of_models),
        detail="line:N",
        strokeDash=alt.StrokeDash(
            "examples:N", sort=examples, legend=line_legend(orient="top") if kept else None,
            scale=alt.Scale(domain=examples, range=[[1, 0], [5, 4]][: len(examples)]),
        ),
        tooltip=["model:N", "examples:N", alt.Tooltip("α:Q", format=".2f"), alt.Tooltip("loss:Q", format=".3f")],
    )  # fmt: skip
    dots = base.mark_point(filled=True, size=40).encode(
        shape=alt.Shape("model:N", sort=names, legend=of_models), strokeDash=alt.value([1, 0])
    )
    middle = alt.Chart(pd.DataFrame({"α": [0]})).mark_rule(strokeDash=[2, 3], color=GREY).encode(x="α:Q")
    chart = (middle + base.mark_line(strokeWidth=2.5) + dots).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"{loss} over α, {len(rows)} points of {', '.join(names)}.")


@once
def heat(
    alphas: Sequence[float], grid: Grid, name: str, loss: str, ends: Sequence[float], *, height: int = 300
) -> None:
    """A plane as a heat map, a field per point; `ends` are the lowest and the highest loss of the colours."""
    import altair as alt
    import pandas as pd

    half = (alphas[1] - alphas[0]) / 2
    rows = [
        {"x": x - half, "x2": x + half, "y": y - half, "y2": y + half, "α": y, "β": x, "loss": value}
        for y, row in zip(alphas, grid, strict=True)
        for x, value in zip(alphas, row, strict=True)
        if value is not None
    ]
    scale = alt.Scale(domain=[alphas[0] - half, alphas[-1] + half], nice=False)
    squares = (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X("x:Q", scale=scale, title="β", axis=alt.Axis(tickCount=5, grid=False)), x2="x2:Q",
            y=alt.Y("y:Q", scale=scale, title="α", axis=alt.Axis(tickCount=5, grid=False)), y2="y2:Q",
            color=alt.Color(
                "loss:Q", title="nats", scale=alt.Scale(scheme="cividis", domain=list(ends)),
                legend=alt.Legend(orient="bottom", gradientLength=200),
            ),
            tooltip=[alt.Tooltip(field, format=".3f") for field in ("α:Q", "β:Q", "loss:Q")],
        )
    )  # fmt: skip
    middle = alt.Chart(pd.DataFrame({"x": [0], "y": [0]})).mark_point(shape="cross", size=90, color="#FFFFFF")
    chart = (squares + middle.encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale))).properties(
        height=scaled(height), title=alt.Title(name, fontSize=scaled(13), anchor="start")
    )
    st.altair_chart(chart, width="stretch", alt=f"{loss} of {name} over a plane, {len(rows)} points known.")


@once
def surface(
    alphas: Sequence[float], grid: Grid, name: str, loss: str, ends: Sequence[float], *, height: int = 380
) -> None:
    """The same plane as a surface in space, which is turned by dragging."""
    import plotly.graph_objects as go

    shape = go.Surface(
        x=list(alphas), y=list(alphas), z=[list(row) for row in grid], colorscale="Cividis", cmin=ends[0], cmax=ends[1],
        colorbar={"orientation": "h", "thickness": 10, "len": 0.7, "y": -0.08}, connectgaps=True,
        hovertemplate="α %{y:.2f}, β %{x:.2f}: %{z:.3f} nats<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(shape)
    scene = {
        "xaxis": {"title": {"text": "β"}}, "yaxis": {"title": {"text": "α"}},
        "zaxis": {"title": {"text": "nats"}, "range": list(ends)}, "aspectratio": {"x": 1, "y": 1, "z": 0.7},
        "camera": {"eye": {"x": 1.55, "y": 1.55, "z": 1.1}},
    }  # fmt: skip
    figure.update_layout(
        height=scaled(height), margin={"l": 0, "r": 0, "t": 28, "b": 0}, title={"text": name, "font": {"size": 13}},
        scene=scene,
    )  # fmt: skip
    low, high = min(ends), max(ends)
    said = f"{loss} of {name} over a plane as a surface, from {low:.2f} to {high:.2f} nats."
    st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, alt=said)
