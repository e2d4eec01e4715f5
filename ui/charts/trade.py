"""The trade-off between two scores over finished runs, one mark per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import scaled
from ui.charts.once import once

if TYPE_CHECKING:
    from lab.kinds.kind import Score


@once
def trade(rows: list[dict[str, Any]], across: Score, up: Score, *, height: int = 260) -> None:
    """The runs of `rows`, with a value per score, by two scores; a run's shape and colour tell its method."""
    import altair as alt
    import pandas as pd

    def axis(score: Score) -> dict[str, Any]:
        better = {"up": ", higher is better", "down": ", lower is better"}.get(score.better, "")
        if score.unit != "%":
            return {"title": score.name + better}
        return {
            "title": score.name + better, "scale": alt.Scale(domain=[0, 1]), "axis": alt.Axis(format="%"),
        }  # fmt: skip

    def told(score: Score) -> Any:
        return alt.Tooltip(score.name, format=".1%" if score.unit == "%" else ".3f")

    legend = alt.Legend(orient="bottom", title=None)
    chart = (
        alt.Chart(pd.DataFrame(rows).dropna(subset=[across.name, up.name]))
        .mark_point(filled=True, size=90, opacity=0.8)
        .encode(
            x=alt.X(f"{across.name}:Q", **axis(across)),
            y=alt.Y(f"{up.name}:Q", **axis(up)),
            color=alt.Color("Method:N", legend=legend),
            shape=alt.Shape("Method:N", legend=legend),
            tooltip=["Method", "Model", "Seed", told(up), told(across)],
        )
        .properties(height=scaled(height))
    )
    st.altair_chart(chart, width="stretch", alt=f"{up.label} against {across.label} of every finished run.")
