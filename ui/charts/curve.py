"""The curve of a run: its live scores over the seconds, as it grows; scores of one unit share an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.once import once

if TYPE_CHECKING:
    from lab.kinds.kind import Score

DASHES = ([1, 0], [7, 3], [2, 2], [9, 2, 2, 2])
SHAPES = ("circle", "triangle-up", "square", "diamond")


def curve(points: list[dict[str, Any]], scores: Iterable[Score], *, height: int = 250) -> None:
    """The live ones of `scores` at each recorded moment, with a rule where each stage begins."""
    live = [score for score in scores if score.live]
    rows = [
        {"seconds": point["seconds"], "value": point[score.key], "score": score.name, "unit": score.unit,
         "stage": point["stage"]}
        for point in points if point["stage"] != "control" for score in live if score.key in point
    ]  # fmt: skip
    if not rows:
        st.caption("The curve starts with the first scores.")
        return
    names = [score.name for score in live if score.name in {row["score"] for row in rows}]
    last = {name: next(row for row in reversed(rows) if row["score"] == name)["value"] for name in names}
    told = {score.name: score.text(last[score.name]) for score in live if score.name in last}
    end = rows[-1]["seconds"]
    stages = _stages([point for point in points if point["seconds"] <= end])
    said = ", ".join(f"{name} {text}" for name, text in told.items())
    _curve(rows, names, stages, max(5.0, end), scaled(height), f"Scores over the seconds of the run; now {said}.")


@once
def _curve(
    rows: list[dict[str, Any]], names: list[str], stages: list[dict[str, Any]], end: float, height: int, said: str
) -> None:
    """Cached with what it draws: a running page draws it several times between two scores, and each time anew
    takes Python from the run for a tenth of a second."""
    import altair as alt
    import pandas as pd

    frame, units = pd.DataFrame(rows), list(dict.fromkeys(row["unit"] for row in rows))
    panels = [
        _panel(alt, frame[frame["unit"] == unit], unit, names, pd.DataFrame(stages), end).properties(
            height=height // len(units)
        )
        for unit in units
    ]
    chart = panels[0] if len(panels) == 1 else alt.vconcat(*panels)
    st.altair_chart(chart, width="stretch", alt=said)


def _panel(alt: Any, frame: Any, unit: str, names: list[str], stages: Any, end: float) -> Any:
    """The scores of one unit: shares from 0 to 100 %, others over their own range."""
    scale: dict[str, Any] = {"domain": names}
    dashes = [DASHES[place % len(DASHES)] for place in range(len(names))]
    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(names))]
    # Marks, not strokes: the shapes of the dots are drawn in it, and a dash would run around them.
    legend = alt.Legend(title=None, orient="bottom", direction="horizontal", labelLimit=220, columns=3, symbolSize=90,
                        symbolStrokeWidth=0)  # fmt: skip
    x = alt.X(
        "seconds:Q", title="seconds", scale=alt.Scale(nice=False, domain=[0, end]),
        axis=alt.Axis(tickMinStep=1, grid=False),
    )  # fmt: skip
    y = (
        alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
        if unit == "%"
        else alt.Y("value:Q", title=unit or None, axis=alt.Axis(tickCount=5))
    )
    lines = (
        alt.Chart(frame)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=x, y=y, color=alt.Color("score:N", title=None, scale=alt.Scale(**scale), legend=legend),
            strokeDash=alt.StrokeDash("score:N", scale=alt.Scale(**scale, range=dashes), legend=legend),
        )
    )  # fmt: skip
    dots = lines.mark_point(filled=True, size=36).encode(
        shape=alt.Shape("score:N", scale=alt.Scale(**scale, range=shapes), legend=None),
        tooltip=["score:N", alt.Tooltip("value:Q", format=".1%" if unit == "%" else ".4g"),
                 alt.Tooltip("seconds:Q", format=".1f"), "stage:N"],
    )  # fmt: skip
    rules = alt.Chart(stages).mark_rule(strokeDash=[2, 3], color=GREY).encode(x="seconds:Q")
    marks = (
        alt.Chart(stages)
        .mark_text(align="left", baseline="bottom", dx=3, dy=-2, fontSize=scaled(11), color=GREY)
        .encode(x="seconds:Q", y=alt.value(0), text="stage:N")
    )
    return rules + marks + lines + dots


def _stages(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where each stage of the method begins; names that would print over each other are left out."""
    from lab.kinds.shared.scoring import STILL

    span = points[-1]["seconds"] or 1.0
    marks: list[dict[str, Any]] = []
    stage, printed = None, -math.inf
    for point in points:
        if point["stage"] == stage:
            continue
        stage = point["stage"]
        if stage in STILL:
            continue
        room = (point["seconds"] - printed) / span > 0.14
        printed = point["seconds"] if room else printed
        marks.append({"seconds": point["seconds"], "stage": stage if room else ""})
    return marks or [{"seconds": 0.0, "stage": ""}]
