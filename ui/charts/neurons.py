"""Charts of channel rankings: each channel by both rankings, and how much of the oracle's top a ranking finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import line_legend, scaled

if TYPE_CHECKING:
    from torch import Tensor

    from ui.neurons import Channel, Ranking

SHARES = tuple(percent / 100 for percent in (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 50))
DASHES = {"nwc": [1, 0], "anp": [7, 3], "uclc": [2, 2], "rnp": [9, 2, 2, 2]}


def overlaps(tac: dict[str, Tensor], known: dict[Ranking, dict[str, Tensor]], *, height: int) -> None:
    """How much of the oracle's top each ranking finds, with what chance would find."""
    from core.metrics.rankings import overlap

    rows = [
        {"share": share, "found": found, "ranking": ranking.name, "kind": ranking.kind}
        for ranking, own in known.items()
        for share, found in zip(SHARES, overlap(own, tac, SHARES), strict=True)
    ]
    rows += [{"share": share, "found": share, "ranking": "by chance", "kind": "chance"} for share in SHARES]
    _overlaps(rows, scaled(height))


@st.cache_data(max_entries=64, show_spinner=False)
def _overlaps(rows: list[dict[str, Any]], height: int) -> None:
    import altair as alt
    import pandas as pd

    names = list(dict.fromkeys(row["ranking"] for row in rows))
    kinds = {row["ranking"]: row["kind"] for row in rows}
    dashes = alt.Scale(domain=names, range=[DASHES.get(kinds[name], [4, 4]) for name in names])
    legend = line_legend(orient="bottom", columns=3)
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=alt.OverlayMarkDef(size=25))
        .encode(
            x=alt.X("share:Q", scale=alt.Scale(domain=[0, 0.5]), axis=alt.Axis(format="%", tickCount=5),
                    title="k, share of all channels"),
            y=alt.Y("found:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5),
                    title="of TAC's top k found"),
            color=alt.Color("ranking:N", sort=names, legend=legend, scale=alt.Scale(domain=names)),
            strokeDash=alt.StrokeDash("ranking:N", scale=dashes, legend=legend),
            tooltip=["ranking", alt.Tooltip("share", format=".0%"), alt.Tooltip("found", format=".0%")],
        )
        .properties(height=height)
    )  # fmt: skip
    at_ten = [f"{row['ranking']} {100 * row['found']:.0f} percent" for row in rows if row["share"] == 0.1]
    said = f"Overlap with the oracle at a tenth of the channels: {', '.join(at_ten)}."
    st.altair_chart(chart, width="stretch", alt=said)


def axes(
    tac: dict[str, Tensor], own: dict[str, Tensor], name: str, out: Sequence[Channel],
    *, key: str, picked: Callable[[], None], height: int,
) -> None:  # fmt: skip
    """Every channel that both know by its place in the ranking and in the oracle; a click chooses one."""
    from core.metrics.rankings import standing

    both = [layer for layer in tac if layer in own]
    x, y = standing({layer: own[layer] for layer in both}), standing({layer: tac[layer] for layer in both})
    rows = [
        {"layer": layer, "channel": channel, "ranking": round(float(x[layer][channel]), 4),
         "TAC": round(float(y[layer][channel]), 4), "state": "zero" if (layer, channel) in set(out) else "as it was"}
        for layer in both for channel in range(len(tac[layer]))
    ]  # fmt: skip
    chart = _axes(rows, name, scaled(height))
    said = f"{len(rows)} channels by their place in {name} and in TAC; {len(out)} are set to zero."
    st.altair_chart(chart, width="stretch", key=key, on_select=picked, selection_mode="pick", alt=said)


@st.cache_data(max_entries=64, show_spinner=False)
def _axes(rows: list[dict[str, Any]], name: str, height: int) -> Any:
    import altair as alt
    import pandas as pd

    states = ["as it was", "zero"]
    legend = alt.Legend(orient="bottom", title=None, symbolSize=80, symbolOpacity=1)
    shared: dict[str, Any] = {"sort": states, "legend": legend}
    axis = alt.Axis(format="%", tickCount=3)
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_point(filled=True)
        .encode(
            x=alt.X("ranking:Q", scale=alt.Scale(domain=[0, 1]), title=f"rank by {name}", axis=axis),
            y=alt.Y("TAC:Q", scale=alt.Scale(domain=[0, 1]), title="rank by TAC (oracle)", axis=axis),
            color=alt.Color("state:N", **shared),
            shape=alt.Shape("state:N", scale=alt.Scale(domain=states, range=["circle", "cross"]), **shared),
            size=alt.Size("state:N", scale=alt.Scale(domain=states, range=[18, 70]), legend=None),
            opacity=alt.condition("datum.state == 'zero'", alt.value(1), alt.value(0.45)),
            tooltip=["layer", "channel", alt.Tooltip("ranking", format=".1%"), alt.Tooltip("TAC", format=".1%")],
        )
        .properties(height=height)
        .add_params(alt.selection_point(name="pick", fields=["layer", "channel"]))
    )


def clicked(key: str) -> Channel | None:
    """Layer and channel of the point that was clicked in the chart `key`, or None."""
    points = st.session_state[key]["selection"]["pick"]
    return (points[0]["layer"], int(points[0]["channel"])) if points else None
