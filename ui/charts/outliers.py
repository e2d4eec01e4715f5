"""Outliers: errors along a training, codes and the likelihood circle, rounds of ITSR, curves, rules and ceilings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

NORMAL, OUTLIER = KINDS = ("normal", "outlier")
DASHES = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3], [10, 2], [3, 1, 1, 1], [6, 1])
POINTS = 300


@once
def errors(tables: dict[str, Any], *, height: int) -> None:
    """Mean error of normal training pictures and of outliers over the epochs, a panel per detector.

    tables : by detector, (P, 3): epoch, error of normal ones, error of outliers
    """
    import altair as alt
    import pandas as pd

    rows = [
        {"detector": name, "epoch": row[0], "error": row[1 + k], "training pictures": kind}
        for name, table in tables.items() for row in table.tolist() for k, kind in enumerate(KINDS)
    ]  # fmt: skip
    scale = alt.Scale(domain=list(KINDS))
    dash = alt.Scale(domain=list(KINDS), range=[[1, 0], [6, 3]])
    legend = line_legend(orient="bottom", columns=1)
    panels = [
        alt.Chart(pd.DataFrame([row for row in rows if row["detector"] == name]), title=alt.Title(name, anchor="start"))
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickCount=4, grid=False)),
            y=alt.Y("error:Q", title="squared error" if place == 0 else None, scale=alt.Scale(zero=True),
                    axis=alt.Axis(tickCount=4)),
            color=alt.Color("training pictures:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash("training pictures:N", scale=dash, legend=legend),
            tooltip=["training pictures:N", alt.Tooltip("epoch:Q", format=".0f"), alt.Tooltip("error:Q", format=".3g")],
        ).properties(height=scaled(height))
        for place, name in enumerate(tables)
    ]  # fmt: skip
    said = "; ".join(f"{name}: {t[-1][1]:.3g} normal, {t[-1][2]:.3g} outliers" for name, t in _lists(tables).items())
    for place, panel in zip(st.columns(len(panels), gap="small"), panels, strict=True):
        place.altair_chart(panel, width="stretch", alt=f"Mean squared error over the epochs; at the end {said}.")


def _lists(tables: dict[str, Any]) -> dict[str, list[list[float]]]:
    return {name: table.tolist() for name, table in tables.items()}


@once
def plane(codes: Any, truth: Sequence[bool], weights: Sequence[float], radius: float, *, height: int) -> None:
    """Codes (N, 2) of the training pictures and the circle beyond which a code is unlikely; candidates are crosses."""
    import altair as alt
    import pandas as pd

    states = {1: "kept", 0: "rejected", -1: "pushed away"}
    rows = [
        {"z1": x, "z2": y, "picture": KINDS[bool(strange)], "state": states[(w > 0) - (w < 0)]}
        for (x, y), strange, w in zip(codes.tolist(), truth, weights, strict=True)
    ]
    reach = max(1.15 * radius, *(abs(value) for row in rows for value in (row["z1"], row["z2"])))
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    shapes = alt.Scale(domain=list(states.values()), range=["circle", "cross", "triangle-up"])
    legend = alt.Legend(orient="bottom", title=None, columns=1)
    dots = (
        alt.Chart(pd.DataFrame(rows).sort_values("picture"))
        .mark_point(filled=True, opacity=0.75)
        .encode(
            x=alt.X("z1:Q", title="first number of the code", scale=scale, axis=alt.Axis(tickCount=5)),
            y=alt.Y("z2:Q", title="second", scale=scale, axis=alt.Axis(tickCount=5)),
            color=alt.Color("picture:N", scale=alt.Scale(domain=list(KINDS)), legend=legend),
            shape=alt.Shape("state:N", scale=shapes, legend=legend),
            size=alt.Size("picture:N", scale=alt.Scale(domain=list(KINDS), range=[35, 90]), legend=None),
            tooltip=["picture:N", "state:N", alt.Tooltip("z1:Q", format=".2f"), alt.Tooltip("z2:Q", format=".2f")],
        )
    )
    ring = _circle(alt, pd, radius)
    inside = sum((row["z1"] ** 2 + row["z2"] ** 2) ** 0.5 <= radius for row in rows)
    said = f"Codes of {len(rows)} training pictures; {inside} lie inside the circle of radius {radius:.2f}."
    st.altair_chart((ring + dots).properties(height=scaled(height)), width="stretch", alt=said)


def _circle(alt: Any, pd: Any, radius: float) -> Any:
    import math

    turns = [2 * math.pi * step / 90 for step in range(91)]
    frame = pd.DataFrame(
        [{"x": radius * math.cos(t), "y": radius * math.sin(t), "order": place} for place, t in enumerate(turns)]
    )
    return alt.Chart(frame).mark_line(color=GREY, strokeDash=[5, 3], strokeWidth=2).encode(
        x="x:Q", y="y:Q", order="order:Q"
    )


@once
def rounds(history: Any, truth: Sequence[bool], *, height: int) -> None:
    """Of ITSR, after each round: the outliers and the normal pictures among its candidates, and those pushed away.

    history : weights (R, N), the last row those of the last phase
    """
    import altair as alt
    import pandas as pd

    rows = []
    last = len(history) - 1
    for place, weights in enumerate(history.tolist()):
        step = "retrain" if place == last else f"round {place + 1}"
        for kind, wanted in ((OUTLIER, True), (NORMAL, False)):
            out = [w for w, strange in zip(weights, truth, strict=True) if bool(strange) == wanted and w <= 0]
            rows.append({"step": step, "picture": kind, "state": "rejected", "n": sum(w == 0 for w in out)})
            rows.append({"step": step, "picture": kind, "state": "pushed away", "n": sum(w < 0 for w in out)})
    order = list(dict.fromkeys(row["step"] for row in rows))
    legend = alt.Legend(orient="bottom", title=None, columns=1)
    bars = alt.Chart(pd.DataFrame(rows)).mark_bar().encode(
        x=alt.X("step:N", sort=order, title=None, axis=alt.Axis(labelAngle=-35)),
        y=alt.Y("n:Q", title="training pictures", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        color=alt.Color("picture:N", scale=alt.Scale(domain=list(KINDS)), legend=legend),
        opacity=alt.Opacity("state:N", scale=alt.Scale(domain=["rejected", "pushed away"], range=[0.5, 1.0]),
                            legend=legend),
        tooltip=["step:N", "picture:N", "state:N", "n:Q"],
    )  # fmt: skip
    final = [row for row in rows if row["step"] == order[-1]]
    said = ", ".join(f"{row['n']} {row['picture']} {row['state']}" for row in final)
    st.altair_chart(bars.properties(height=scaled(height)), width="stretch", alt=f"At the end: {said}.")


@once
def curves(scores: dict[str, Any], outlying: Sequence[bool], *, height: int) -> None:
    """ROC and precision-recall curves of each detector; scores by detector, outlying (M,)."""
    import torch

    from core.metrics import precision_recall, roc

    truth = torch.tensor(list(outlying))
    rocs = {name: roc(values, truth) for name, values in scores.items()}
    prs = {name: precision_recall(values, truth) for name, values in scores.items()}
    left, right = st.columns(2, gap="small")
    with left:
        lines = {f"{name}: {found.auroc:.3f}": (found.fpr, found.tpr) for name, found in rocs.items()}
        _lines(lines, "normal pictures flagged", "outliers found", height, "ROC curves, by area under them")
    with right:
        pairs = {f"{name}: {found.ap:.3f}": (found.recall, found.precision) for name, found in prs.items()}
        _lines(pairs, "outliers found", "of those flagged, outliers", height, "Precision and recall, by mean precision")


def _lines(lines: dict[str, tuple[Any, Any]], x: str, y: str, height: int, what: str) -> None:
    import altair as alt
    import pandas as pd
    import torch

    rows = []
    for name, (first, second) in lines.items():
        kept = torch.linspace(0, len(first) - 1, min(POINTS, len(first))).round().long()
        pairs = zip(first[kept].tolist(), second[kept].tolist(), strict=True)
        rows += [{"detector": name, "x": a, "y": b, "order": place} for place, (a, b) in enumerate(pairs)]
    names = list(lines)
    scale, legend = alt.Scale(domain=names), line_legend(orient="bottom", columns=1, labelLimit=260)
    axis = alt.Axis(format="%", tickCount=5)
    chart = alt.Chart(pd.DataFrame(rows)).mark_line(strokeWidth=2.2, interpolate="step-after").encode(
        x=alt.X("x:Q", title=x, axis=axis, scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("y:Q", title=y, axis=axis, scale=alt.Scale(domain=[0, 1])), order="order:Q",
        color=alt.Color("detector:N", scale=scale, legend=legend),
        strokeDash=alt.StrokeDash("detector:N", legend=legend,
                                  scale=alt.Scale(domain=names, range=list(DASHES[: len(names)]))),
    )  # fmt: skip
    height = scaled(height + 20 * len(names))
    st.altair_chart(chart.properties(height=height), width="stretch", alt=f"{what}: {'; '.join(names)}.")


@once
def rules(rows: list[dict[str, Any]]) -> None:
    """Balanced accuracy of each detector, a tick at the ceiling of its rule, a circle for outliers of other kinds.

    rows : detector, bacc, ceiling, unobserved (None where there are none)
    """
    import altair as alt
    import pandas as pd

    order = [row["detector"] for row in rows]
    frame = pd.DataFrame(rows)
    scale = alt.Scale(domain=[min(0.4, *(row["bacc"] for row in rows)), 1])
    x = alt.X("bacc:Q", title="balanced accuracy", scale=scale, axis=alt.Axis(format="%", tickCount=5))
    base = alt.Chart(frame).encode(y=alt.Y("detector:N", sort=order, title=None, axis=alt.Axis(labelLimit=170)))
    tips = ["detector:N", *(alt.Tooltip(f"{key}:Q", format=".1%") for key in ("bacc", "ceiling", "unobserved"))]
    bars = base.mark_bar(height=13, clip=True).encode(x=x, x2=alt.datum(scale.domain[0]), tooltip=tips)
    ceiling = base.mark_tick(thickness=3, size=20, color=GREY).encode(x="ceiling:Q", tooltip=tips)
    other = base.mark_point(filled=True, size=70, color=GREY, stroke="white").encode(x="unobserved:Q", tooltip=tips)
    said = ", ".join(f"{row['detector']} {100 * row['bacc']:.1f} of {100 * row['ceiling']:.1f} %" for row in rows)
    chart = (bars + ceiling + other).properties(height=scaled(34 * len(rows) + 40))
    st.altair_chart(chart, width="stretch", alt=f"Balanced accuracy: {said}.")
