"""Robust trainings by epoch: a measure on pictures that were learned from and on others, and the gap between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

LEARNED, OTHERS = SETS = "training pictures", "other pictures"
BEST, LAST = "best", "last"


@once
def epochs(
    nets: Sequence[dict[str, Any]], title: str, *, at: int = 0, marks: bool = False, height: int = 300
) -> None:  # fmt: skip
    """Two lines for each net, and between them its gap, shaded.

    nets : "net", its name; "epoch", "train", "heldout", a value per epoch, shares
    at : the epoch that is chosen, a rule; 0 for none
    marks : whether the best (a diamond) and the last epoch (a disc) on the other pictures are marked
    """
    import altair as alt
    import pandas as pd

    wide = [
        {"net": net["net"], "epoch": epoch, "train": train, "heldout": heldout}
        for net in nets for epoch, train, heldout in zip(net["epoch"], net["train"], net["heldout"], strict=True)
    ]  # fmt: skip
    long = [
        {"net": row["net"], "epoch": row["epoch"], "pictures": name, "share": row[key]}
        for row in wide for name, key in zip(SETS, ("train", "heldout"), strict=True)
    ]  # fmt: skip
    names, last = [net["net"] for net in nets], max((row["epoch"] for row in wide), default=1)
    x = alt.X("epoch:Q", title="epoch", scale=alt.Scale(domain=[0, max(2, last)], nice=False),
              axis=alt.Axis(tickMinStep=1, grid=False))  # fmt: skip
    scale = alt.Scale(domain=[0, 1])
    colour = alt.Color("net:N", sort=names, scale=alt.Scale(domain=names),
                       legend=line_legend(orient="bottom", direction="vertical", labelLimit=300))  # fmt: skip
    gap = alt.Chart(pd.DataFrame(wide)).mark_area(opacity=0.15).encode(
        x=x, y=alt.Y("train:Q", title=title, scale=scale, axis=alt.Axis(format="%", tickCount=5)), y2="heldout:Q",
        color=colour,
    )  # fmt: skip
    dash = alt.StrokeDash("pictures:N", sort=list(SETS), scale=alt.Scale(domain=list(SETS), range=[[5, 4], [1, 0]]),
                          legend=line_legend(orient="top", direction="vertical", symbolStrokeColor=GREY))  # fmt: skip
    lines = alt.Chart(pd.DataFrame(long)).mark_line(strokeWidth=2.5).encode(
        x=x, y=alt.Y("share:Q", scale=scale), color=colour, strokeDash=dash,
        tooltip=["net:N", "pictures:N", "epoch:Q", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    layers = [gap, lines]
    if last < 20:  # the first epoch alone makes no line
        dots = alt.Chart(pd.DataFrame(long)).mark_point(filled=True, size=30, opacity=1)
        layers.append(dots.encode(x=x, y=alt.Y("share:Q", scale=scale), color=colour))
    if at:
        layers.append(alt.Chart(pd.DataFrame({"epoch": [at]})).mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x))
    if marks:
        layers.append(_marks(alt, pd.DataFrame([row for net in nets for row in _ends(net)]), x, colour))
    said = "; ".join(f"{net['net']} {net['train'][-1]:.0%} and {net['heldout'][-1]:.0%}" for net in nets)
    chart = alt.layer(*layers).resolve_scale(shape="independent").properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"{title} by epoch; last, on training and other pictures: {said}.")


def _ends(net: dict[str, Any]) -> list[dict[str, Any]]:
    """The best and the last epoch of a net on the other pictures."""
    best, last = max(range(len(net["heldout"])), key=lambda place: net["heldout"][place]), len(net["heldout"]) - 1
    return [
        {"net": net["net"], "epoch": net["epoch"][place], "share": net["heldout"][place], "mark": mark}
        for mark, place in ((BEST, best), (LAST, last))
    ]


def _marks(alt: Any, frame: Any, x: Any, colour: Any) -> Any:
    shapes = alt.Scale(domain=[BEST, LAST], range=["diamond", "circle"])
    return alt.Chart(frame).mark_point(filled=True, size=110, opacity=1).encode(
        x=x, y="share:Q", color=colour,
        shape=alt.Shape("mark:N", scale=shapes, legend=None),
        tooltip=["net:N", "mark:N", "epoch:Q", alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
