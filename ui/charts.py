"""Charts: predictions before and after, the curve that grows, confusions, local against global.

Lines differ by dash and bars by label as well as by colour, so that colour is never the only cue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import numpy as np

SHARES = {"acc": "ACC", "asr": "ASR", "ra": "RA"}
"""The three figures of a backdoor; the metrics above a curve explain them."""

DASHES = {"acc": [1, 0], "asr": [7, 3], "ra": [2, 2]}
SHAPES = {"acc": "circle", "asr": "triangle-up", "ra": "square"}


def predictions(names: Sequence[str], moments: dict[str, np.ndarray], *, top: int = 4, height: int = 230) -> None:
    """Bars of the likeliest classes at each moment, labelled with their share."""
    import altair as alt
    import pandas as pd

    leading = sorted(range(len(names)), key=lambda k: -max(float(shares[k]) for shares in moments.values()))[:top]
    rows = [
        {"class": names[k], "moment": moment, "share": float(shares[k]), "label": f"{100 * float(shares[k]):.0f} %"}
        for k in leading
        for moment, shares in moments.items()
    ]
    order = [names[k] for k in leading]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("class:N", sort=order, title=None, axis=alt.Axis(labelLimit=120)),
        yOffset=alt.YOffset("moment:N", sort=list(moments)),
        x=alt.X("share:Q", scale=alt.Scale(domain=[0, 1.18]), axis=None),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color("moment:N", sort=list(moments), title=None, legend=alt.Legend(orient="top", labelLimit=160)),
        tooltip=["moment:N", "class:N", "label:N"],
    )
    # A middle grey reads on both backgrounds, which a chart's text colour would not follow.
    text = base.mark_text(align="left", dx=4, fontSize=11, color="#808891").encode(text="label:N")
    said = "; ".join(f"{m}: {names[int(s.argmax())]} {100 * float(s.max()):.0f} percent" for m, s in moments.items())
    st.altair_chart((bars + text).properties(height=height), width="stretch", alt=f"Predicted classes. {said}.")


def curve(points: list[dict[str, Any]], *, height: int = 250) -> None:
    """ACC, ASR and RA over the seconds of the run, with a rule where each stage begins."""
    rows = [
        {
            "seconds": point["seconds"],
            "share": point[name],
            "figure": SHARES[name],
            "name": name,
            "stage": point["stage"],
        }
        for point in points
        if point["stage"] != "control"
        for name in SHARES
        if name in point
    ]
    if not rows:
        st.caption("The curve begins with the first scores.")
        return
    end = rows[-1]["seconds"]
    _curve(rows, _stages([point for point in points if point["seconds"] <= end]), max(5.0, end), height)


@st.cache_data(max_entries=256, show_spinner=False)
def _curve(rows: list[dict[str, Any]], stages: list[dict[str, Any]], end: float, height: int) -> None:
    """Cached with what it draws: a running page draws it several times between two scores, and each time anew
    takes Python from the run for a tenth of a second."""
    import altair as alt
    import pandas as pd

    frame, rules_at = pd.DataFrame(rows), pd.DataFrame(stages)
    kinds = [name for name in SHARES if name in set(frame["name"])]
    scale: dict[str, Any] = {"domain": [SHARES[name] for name in kinds]}
    x = alt.X(
        "seconds:Q",
        title="seconds",
        scale=alt.Scale(nice=False, domain=[0, end]),
        axis=alt.Axis(tickMinStep=1, grid=False),
    )
    lines = (
        alt.Chart(frame)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=x,
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("figure:N", title=None, scale=alt.Scale(**scale), legend=_legend(alt)),
            strokeDash=alt.StrokeDash(
                "figure:N", scale=alt.Scale(**scale, range=[DASHES[name] for name in kinds]), legend=_legend(alt)
            ),
        )
    )
    dots = lines.mark_point(filled=True, size=36).encode(
        shape=alt.Shape(
            "figure:N", scale=alt.Scale(**scale, range=[SHAPES[name] for name in kinds]), legend=_legend(alt)
        ),
        tooltip=["figure:N", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("seconds:Q", format=".1f"), "stage:N"],
    )
    rules = alt.Chart(rules_at).mark_rule(strokeDash=[2, 3], color="#808891").encode(x="seconds:Q")
    marks = (
        alt.Chart(rules_at)
        .mark_text(align="left", baseline="bottom", dx=3, dy=-2, fontSize=11, color="#808891")
        .encode(x="seconds:Q", y=alt.value(0), text="stage:N")
    )
    last = {name: [row["share"] for row in rows if row["name"] == name][-1] for name in kinds}
    said = ", ".join(f"{name.upper()} {100 * share:.0f} percent" for name, share in last.items())
    chart = (rules + marks + lines + dots).properties(height=height)
    st.altair_chart(chart, width="stretch", alt=f"Scores over the seconds of the run; now {said}.")


def _legend(alt: Any) -> Any:
    return alt.Legend(orient="bottom", direction="horizontal", labelLimit=220, symbolSize=60, columns=3)


QUIET = {"load", "before", "after", "control", "tables"}


def _stages(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where each stage of the method begins; names that would print over each other are left out."""
    span = points[-1]["seconds"] or 1.0
    marks: list[dict[str, Any]] = []
    stage, printed = None, -math.inf
    for point in points:
        if point["stage"] == stage:
            continue
        stage = point["stage"]
        if stage in QUIET:
            continue
        room = (point["seconds"] - printed) / span > 0.14
        printed = point["seconds"] if room else printed
        marks.append({"seconds": point["seconds"], "stage": stage if room else ""})
    return marks or [{"seconds": 0.0, "stage": ""}]


def confusion(counts: Any, names: Sequence[str], title: str, *, height: int = 400) -> None:
    """A table of true class against prediction, shares of each row; numbers stand in the larger cells."""
    import altair as alt
    import pandas as pd

    table = [[float(cell) for cell in line] for line in counts]
    short = [names[k] if k < len(names) else str(k) for k in range(len(table))]
    rows = [
        {"true": short[i], "says": short[j], "share": cell / (sum(line) or 1.0), "count": int(cell)}
        for i, line in enumerate(table)
        for j, cell in enumerate(line)
    ]
    base = alt.Chart(pd.DataFrame(rows), title=alt.Title(title, fontSize=13, anchor="start")).encode(
        x=alt.X(
            "says:N", sort=short, title="model says", axis=alt.Axis(labelAngle=-60, labelLimit=70, labelOverlap=False)
        ),
        y=alt.Y("true:N", sort=short, title="true class", axis=alt.Axis(labelLimit=80, labelOverlap=False)),
    )
    cells = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None),
        tooltip=["true:N", "says:N", "count:Q", alt.Tooltip("share:Q", format=".0%")],
    )
    chart = cells
    if len(table) <= 12:
        text = (
            base.transform_filter("datum.share >= 0.05")
            .mark_text(fontSize=10)
            .encode(
                text=alt.Text("share:Q", format=".0%"),
                color=alt.condition("datum.share > 0.55", alt.value("#000000"), alt.value("#FFFFFF")),
            )
        )
        chart = cells + text
    right = sum(table[i][i] for i in range(len(table)))
    total = sum(map(sum, table)) or 1.0
    said = f"{title}: {100 * right / total:.0f} percent of {int(total)} pictures lie on the diagonal."
    st.altair_chart(chart.properties(height=height), width="stretch", alt=said)


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
        st.caption("No picture on which both attacks succeed yet, so there is nothing to compare.")
        return
    n = counts.get("median/l2", 0)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("norm:N", sort=list(words.values()), title=None, axis=alt.Axis(labelLimit=150)),
        x=alt.X(
            "ratio:Q", scale=alt.Scale(type="log", domain=[0.1, 10], clamp=True),
            axis=alt.Axis(values=[0.1, 1, 10], title=["region / whole", f"median, n = {n}"]),
        ),
    )  # fmt: skip
    even = alt.Chart(pd.DataFrame({"x": [1]})).mark_rule(strokeDash=[4, 3], color="#808891").encode(x="x:Q")
    dots = base.mark_point(filled=True, size=110).encode(tooltip=["norm:N", "label:N"])
    text = base.mark_text(align="left", dx=8, dy=-11, fontSize=12, color="#808891").encode(text="label:N")
    said = ", ".join(f"{row['norm']} {row['label']}" for row in rows)
    st.altair_chart((even + dots + text).properties(height=height), width="stretch", alt=f"Local over global: {said}.")


def trade(frame: Any, *, height: int = 260) -> None:
    """Accuracy against attack success, one mark per run, its shape by method: the upper left corner is best."""
    import altair as alt

    chart = (
        alt.Chart(frame.dropna(subset=["ACC", "ASR"]))
        .mark_point(filled=True, size=90, opacity=0.8)
        .encode(
            x=alt.X("ASR:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"), title="ASR, lower is better"),
            y=alt.Y("ACC:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"), title="ACC"),
            color=alt.Color("Method:N", legend=alt.Legend(orient="bottom", title=None)),
            shape=alt.Shape("Method:N", legend=alt.Legend(orient="bottom", title=None)),
            tooltip=["Method", "Model", "Seed", alt.Tooltip("ACC", format=".1%"), alt.Tooltip("ASR", format=".1%")],
        )
        .properties(height=height)
    )
    st.altair_chart(chart, width="stretch", alt="Accuracy against attack success of every finished run.")
