"""Which examples fool which models, as a table of colours."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lab.kinds.shared.words import FEW
from ui.charts import scaled
from ui.charts.once import once


@once
def transfer(
    fooled: Sequence[Sequence[float]], counts: Sequence[int], examples: Sequence[str], names: Sequence[str]
) -> None:
    """A line per model, a column per example, in each cell the share of the model's pictures that it fools.

    fooled : (E, M), NaN where nothing counts; counts : (M,), the pictures that count
    """
    import altair as alt
    import pandas as pd

    lines = [f"{name} (n = {n})" for name, n in zip(names, counts, strict=True)]
    rows = [
        {"model": line, "example": example, "share": share if n else None, "n": n,
         "label": "–" if not n else f"{round(share * n)} of {n}" if n < FEW else f"{share:.0%}"}
        for example, shares in zip(examples, fooled, strict=True)
        for line, share, n in zip(lines, shares, counts, strict=True)
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("example:N", sort=list(examples), title=None,
                axis=alt.Axis(labelAngle=0, orient="top", labelOverlap=False, labelExpr="split(datum.label, ' ')")),
        y=alt.Y("model:N", sort=lines, title=None, axis=alt.Axis(labelLimit=230, labelOverlap=False)),
    )  # fmt: skip
    scale = alt.Scale(scheme="cividis", domain=[0, 1])
    cells = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=scale, legend=None),
        tooltip=["model:N", "example:N", alt.Tooltip("share:Q", format=".1%"), "n:Q"],
    )
    text = base.mark_text(fontSize=scaled(12)).encode(
        text="label:N", color=alt.condition("datum.share > 0.55", alt.value("#000000"), alt.value("#FFFFFF"))
    )
    said = "; ".join(f"{row['model']}, {row['example']}: {row['label']}" for row in rows)
    height = scaled(40 + 34 * len(lines))
    st.altair_chart((cells + text).properties(height=height), width="stretch", alt=f"Share fooled. {said}.")
