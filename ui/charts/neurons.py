"""Charts of channel rankings: each channel by both rankings, and how much of the oracle's top a ranking finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import line_legend, scaled, specification
from ui.charts.once import once

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor

    from ui.neurons import Channel, Ranking

SHARES = tuple(percent / 100 for percent in (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 50))
DASHES = {"nwc": [1, 0], "anp": [7, 3], "uclc": [2, 2], "rnp": [9, 2, 2, 2]}


def overlaps(
    tac: dict[str, Tensor], known: dict[Ranking, dict[str, Tensor]], *, runs: Sequence[str], height: int
) -> None:
    """How much of the oracle's top each ranking finds, with what chance would find; `runs` are the keys behind them."""
    _overlaps(cache.kept(lambda: _found(tac, known), "overlaps", runs), scaled(height))


def _found(tac: dict[str, Tensor], known: dict[Ranking, dict[str, Tensor]]) -> list[dict[str, Any]]:
    from core.metrics.rankings import overlap

    rows = [
        {"share": share, "found": found, "ranking": ranking.name, "kind": ranking.kind}
        for ranking, own in known.items()
        for share, found in zip(SHARES, overlap(own, tac, SHARES), strict=True)
    ]
    return [*rows, *({"share": share, "found": share, "ranking": "by chance", "kind": "chance"} for share in SHARES)]


@once
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
    *, runs: Sequence[str], key: str, picked: Callable[[], None], height: int,
) -> None:  # fmt: skip
    """Every channel that both know by its place in the ranking and in the oracle; a click chooses one.

    runs : the keys of the runs behind both
    """
    high = scaled(height)
    frame, spec = cache.kept(lambda: (_places(tac, own, out), _axes(name, high)), "axes", runs, name, out, high)
    said = f"{len(frame)} channels by their place in {name} and in TAC; {len(out)} are set to zero."
    st.vega_lite_chart(frame, spec, width="stretch", key=key, on_select=picked, selection_mode="pick", alt=said)


def _places(tac: dict[str, Tensor], own: dict[str, Tensor], out: Sequence[Channel]) -> DataFrame:
    """A row for each channel."""
    import pandas as pd

    from core.metrics.rankings import standing

    both, zero = [layer for layer in tac if layer in own], set(out)
    x, y = (standing({layer: each[layer] for layer in both}) for each in (own, tac))
    return pd.DataFrame([
        {"layer": layer, "channel": channel, "ranking": round(across, 4), "TAC": round(up, 4),
         "state": "zero" if (layer, channel) in zero else "as it was"}
        for layer in both
        for channel, (across, up) in enumerate(zip(x[layer].tolist(), y[layer].tolist(), strict=True))
    ])  # fmt: skip


def _axes(name: str, height: int) -> dict[str, Any]:
    import altair as alt

    states = ["as it was", "zero"]
    legend = alt.Legend(orient="bottom", title=None, symbolSize=80, symbolOpacity=1)
    shared: dict[str, Any] = {"sort": states, "legend": legend}
    axis = alt.Axis(format="%", tickCount=3)
    chart = (
        alt.Chart(alt.NamedData("channels"))
        .mark_point(filled=True)
        .encode(
            x=alt.X("ranking:Q", scale=alt.Scale(domain=[0, 1]), title=f"rank by {name}", axis=axis),
            y=alt.Y("TAC:Q", scale=alt.Scale(domain=[0, 1]), title="rank by TAC (oracle)", axis=axis),
            color=alt.Color("state:N", **shared),
            shape=alt.Shape("state:N", scale=alt.Scale(domain=states, range=["circle", "cross"]), **shared),
            size=alt.Size("state:N", scale=alt.Scale(domain=states, range=[18, 70]), legend=None),
            opacity=alt.condition("datum.state == 'zero'", alt.value(1), alt.value(0.45)),
            tooltip=["layer:N", "channel:Q", alt.Tooltip("ranking:Q", format=".1%"),
                     alt.Tooltip("TAC:Q", format=".1%")],
        )
        .properties(height=height)
        .add_params(alt.selection_point(name="pick", fields=["layer", "channel"]))
    )  # fmt: skip
    return specification(chart)


def clicked(key: str) -> Channel | None:
    """Layer and channel of the point that was clicked in the chart `key`, or None."""
    points = st.session_state[key]["selection"]["pick"]
    return (points[0]["layer"], int(points[0]["channel"])) if points else None
