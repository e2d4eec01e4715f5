"""Which class is taken for which, as a table of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lab.kinds.shared.words import FEW
from ui.charts import scaled
from ui.charts.once import once


@once
def confusion(counts: Any, names: Sequence[str], title: str, *, height: int = 400) -> None:
    """A table of true class against prediction, shares of each row; numbers stand in the larger cells.

    Of a class with fewer than `FEW` pictures they are counts.
    """
    import altair as alt
    import pandas as pd

    table = [[float(cell) for cell in line] for line in counts]
    short = [names[k] if k < len(names) else str(k) for k in range(len(table))]
    rows = [
        {"true": short[i], "says": short[j], "share": cell / (sum(line) or 1.0), "count": int(cell),
         "label": f"{int(cell)}" if sum(line) < FEW else f"{100 * cell / sum(line):.0f}%"}
        for i, line in enumerate(table)
        for j, cell in enumerate(line)
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows), title=alt.Title(title, fontSize=scaled(13), anchor="start")).encode(
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
            .mark_text(fontSize=scaled(10))
            .encode(
                text="label:N",
                color=alt.condition("datum.share > 0.55", alt.value("#000000"), alt.value("#FFFFFF")),
            )
        )
        chart = cells + text
    right = sum(table[i][i] for i in range(len(table)))
    total = sum(map(sum, table)) or 1.0
    said = f"{title}: {100 * right / total:.0f} percent of {int(total)} pictures lie on the diagonal."
    st.altair_chart(chart.properties(height=scaled(height)), width="stretch", alt=said)
