"""Flatness: the rise of each draw, measures before and after rescaling, and a family of nets by two measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ui import cache
from ui.charts import GREY, line_legend, scaled, specification
from ui.charts.once import once


@once
def draws(
    values: Sequence[float], value: float, interval: Sequence[float] | None, word: str, *, height: int = 150
) -> None:
    """A dot for each draw or try, a rule at what counts, and a band for its interval."""
    import altair as alt
    import pandas as pd

    rows = [{"rise": one, word: place, "y": place % 5} for place, one in enumerate(values, start=1)]
    axis = alt.Axis(tickCount=6)
    x = alt.X("rise:Q", title="rise of the loss, nats", scale=alt.Scale(zero=False, nice=True), axis=axis)
    marks = []
    if interval is not None:
        band = pd.DataFrame({"rise": [interval[0]], "high": [interval[1]]})
        marks.append(alt.Chart(band).mark_rect(opacity=0.2, color=GREY).encode(x=x, x2="high:Q"))
    marks.append(alt.Chart(pd.DataFrame({"rise": [value]})).mark_rule(strokeWidth=2.5).encode(x=x))
    marks.append(
        alt.Chart(pd.DataFrame(rows)).mark_point(filled=True, size=80, opacity=0.75)
        .encode(x=x, y=alt.Y("y:O", axis=None), tooltip=[f"{word}:Q", alt.Tooltip("rise:Q", format=".3f")])
    )  # fmt: skip
    told = "" if interval is None else f", 95 percent interval {interval[0]:.2f} to {interval[1]:.2f}"
    said = f"Rise of the loss in nats: {len(values)} {word} values; what counts is {value:.2f}{told}."
    st.altair_chart(alt.layer(*marks).properties(height=scaled(height)), width="stretch", alt=said)


@once
def rescaled(moves: dict[str, Sequence[float]], units: dict[str, str], *, height: int = 200) -> None:
    """Each measure before and after rescaling, on an axis of its own."""
    import altair as alt
    import pandas as pd

    for name, (before, after) in moves.items():
        rows = [{"net": "before", "value": before}, {"net": "rescaled", "value": after}]
        ends = [min(0.0, 1.15 * before, 1.15 * after), max(1e-9, 1.15 * before, 1.15 * after)]  # room for the figures
        bars = alt.Chart(pd.DataFrame(rows)).encode(
            y=alt.Y("net:N", title=None, sort=["before", "rescaled"]),
            x=alt.X("value:Q", title=f"{name}{', ' + units[name] if units[name] else ''}",
                    scale=alt.Scale(domain=ends, nice=False), axis=alt.Axis(tickCount=4)),
            tooltip=["net:N", alt.Tooltip("value:Q", format=".4g")],
        )  # fmt: skip
        labels = bars.mark_text(align="left", dx=4, color=GREY, fontSize=scaled(11)).encode(
            text=alt.Text("value:Q", format=",.3~f")
        )
        chart = (bars.mark_bar(size=14) + labels).properties(height=scaled(height // len(moves)))
        st.altair_chart(chart, width="stretch", alt=f"{name}: {before:.3g} before, {after:.3g} rescaled.")


def family(
    rows: Sequence[dict[str, Any]], across: str, up: str, titles: dict[str, str], units: dict[str, str], chosen: str,
    *, key: str, picked: Callable[[], None], height: int = 340,
) -> None:  # fmt: skip
    """Every net by two measures; a click chooses one. `picked` is called then; `clicked` says which."""
    high = scaled(height)
    shown = [
        {**row, "state": "chosen" if row["net"] == chosen else "others", "name": row["net"].partition("-")[2]}
        for row in rows
    ]
    frame, spec = cache.kept(
        lambda: _family(shown, across, up, titles, units, high), "family", shown, across, up, units, high
    )
    said = f"{len(rows)} nets by {titles[across]} and {titles[up]}; {chosen} is chosen."
    st.vega_lite_chart(frame, spec, width="stretch", key=key, on_select=picked, selection_mode="pick", alt=said)


def _family(
    rows: Sequence[dict[str, Any]], across: str, up: str, titles: dict[str, str], units: dict[str, str], height: int
) -> Any:
    import altair as alt
    import pandas as pd

    def axis(name: str) -> dict[str, Any]:
        share = units.get(name) == "%"
        title = titles[name] if share or not units.get(name) else f"{titles[name]}, {units[name]}"
        values = [row[name] for row in rows]
        span = max(values) - min(values) or 1.0
        ends = [min(values) - 0.06 * span, max(values) + 0.2 * span]  # room for the names
        marks = alt.Axis(format="%" if share else "", tickCount=5)
        return {"title": title, "scale": alt.Scale(domain=ends, zero=False, nice=False), "axis": marks}

    def told(name: str) -> Any:
        return alt.Tooltip(f"{name}:Q", format=".1%" if units.get(name) == "%" else ".3f")

    x, y = alt.X(f"{across}:Q", **axis(across)), alt.Y(f"{up}:Q", **axis(up))
    base, states = alt.Chart(alt.NamedData("nets")).encode(x=x, y=y), ["others", "chosen"]
    names = base.mark_text(align="left", dx=8, dy=-6, fontSize=scaled(11), color=GREY).encode(text="name:N")
    dots = (
        base.mark_point(filled=True, cursor="pointer", opacity=0.9)
        .encode(
            color=alt.Color("state:N", sort=states, legend=None),
            shape=alt.Shape("state:N", scale=alt.Scale(domain=states, range=["circle", "diamond"]), legend=None),
            size=alt.Size("state:N", scale=alt.Scale(domain=states, range=[90, 190]), legend=None),
            tooltip=["net:N", told(across), told(up), told("robust"), told("accuracy")],
        )
        .add_params(alt.selection_point(name="pick", fields=["net"], toggle=False))
    )  # fmt: skip
    return pd.DataFrame(rows), specification((names + dots).properties(height=height))


@once
def epochs(rows: Sequence[dict[str, Any]], *, height: int = 260) -> None:
    """Robust loss on training and on test pictures, and flatness, over the epochs of a training."""
    import altair as alt
    import pandas as pd

    names = {"robust loss": "robust loss, test", "robust loss, train": "robust loss, training", "average": "flatness"}
    long = [{"epoch": row["epoch"], "nats": row[key], "what": name} for row in rows for key, name in names.items()]
    order, legend = list(names.values()), line_legend(orient="bottom", columns=3)
    base = alt.Chart(pd.DataFrame(long)).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, grid=False)),
        y=alt.Y("nats:Q", axis=alt.Axis(tickCount=5)),
        color=alt.Color("what:N", sort=order, legend=legend, scale=alt.Scale(domain=order)),
        strokeDash=alt.StrokeDash(
            "what:N", sort=order, legend=legend, scale=alt.Scale(domain=order, range=[[1, 0], [7, 3], [2, 2]])
        ),
        tooltip=["what:N", "epoch:Q", alt.Tooltip("nats:Q", format=".3f")],
    )
    chart = (base.mark_line(strokeWidth=2.5) + base.mark_point(filled=True, size=40)).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"Robust loss and flatness over {len(rows)} epochs of a training.")


def clicked(key: str) -> str | None:
    """The net whose point was clicked in the chart `key`, or None."""
    points = st.session_state[key]["selection"]["pick"]
    return points[0]["net"] if points else None
