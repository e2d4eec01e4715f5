"""How many claims of each paper hold: a bar for each paper, its verdicts side by side with their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from ui.charts import scaled
from ui.charts.once import once

COLOURS = "#2E7D5B", "#D9A520", "#B4483B", "#9AA0A6"
"""Of the verdicts in their order; each part of a bar has its number too."""

LEGEND = 60
"""Pixels of the legend above the bars."""


@once
def verdicts(found: Sequence[tuple[str, str]], words: Sequence[str], *, band: int = 26) -> None:
    """Bars of (paper, verdict) pairs; `words` are the verdicts in their order."""
    import altair as alt
    import pandas as pd

    papers = list(dict.fromkeys(paper for paper, _ in found))
    counts = Counter(found)
    rows = [
        {"paper": paper, "verdict": word, "claims": counts[paper, word], "order": place,
         "middle": sum(counts[paper, before] for before in words[:place]) + counts[paper, word] / 2}
        for paper in papers for place, word in enumerate(words) if counts[paper, word]
    ]  # fmt: skip
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y(
            "paper:N",
            sort=papers,
            title=None,
            axis=alt.Axis(labelLimit=0, labelOverlap=False, ticks=False, domain=False),
        ),
    )
    bars = base.mark_bar(height={"band": 0.8}).encode(
        x=alt.X("claims:Q", title=None, axis=None),
        color=alt.Color("verdict:N", sort=list(words), title=None, scale=alt.Scale(domain=list(words), range=COLOURS),
                        legend=alt.Legend(orient="top", columns=2, labelLimit=0)),
        order="order:Q", tooltip=["paper:N", "verdict:N", "claims:Q"],
    )  # fmt: skip
    numbers = base.mark_text(color="#FFFFFF", fontWeight="bold", fontSize=scaled(12)).encode(
        x="middle:Q", text="claims:Q"
    )
    said = "; ".join(f"{paper}: " + ", ".join(f"{counts[paper, word]} {word}" for word in words if counts[paper, word])
                     for paper in papers)  # fmt: skip
    chart = (bars + numbers).properties(height=scaled(band) * len(papers) + LEGEND)
    st.altair_chart(chart, width="stretch", alt=f"Claims by verdict. {said}.")
