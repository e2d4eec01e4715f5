"""The likeliest classes at several moments, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.once import once

if TYPE_CHECKING:
    import numpy as np


@once
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
    legend = alt.Legend(orient="top", direction="vertical", labelLimit=160)  # beside each other a phone would cut them
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("class:N", sort=order, title=None, axis=alt.Axis(labelLimit=120)),
        yOffset=alt.YOffset("moment:N", sort=list(moments)),
        x=alt.X("share:Q", scale=alt.Scale(domain=[0, 1.18]), axis=None),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color("moment:N", sort=list(moments), title=None, legend=legend),
        tooltip=["moment:N", "class:N", "label:N"],
    )
    text = base.mark_text(align="left", dx=4, fontSize=scaled(11), color=GREY).encode(text="label:N")
    said = "; ".join(f"{m}: {names[int(s.argmax())]} {100 * float(s.max()):.0f} percent" for m, s in moments.items())
    st.altair_chart((bars + text).properties(height=scaled(height)), width="stretch", alt=f"Predicted classes. {said}.")
