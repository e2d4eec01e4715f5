"""The scoreboard drawn: a heat table with numbers, and where each defense stands over all attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import GREY, scaled, specification
from ui.charts.once import once

if TYPE_CHECKING:
    from pandas import DataFrame

    from lab.scoreboard import Board, Cell, Cells, Standing

NONE = "no defense"
LOW = {"acc": 0.5, "asr": 0.0, "ra": 0.0, "der": 0.5}
"""Where the colours of a figure begin: an accuracy of 50 % and a DER of 0.5 are as bad as they come here."""

HEAD = 70
"""Pixels of the names above the table."""

BAND = 15
"""Pixels of one defense under one rule in the ranking."""


def heat(board: Board, cells: Cells, figure: str, *, key: str, picked: Callable[[], None]) -> None:
    """One row per defense, one column per attack: the mean over the seeds, its spread in the tooltip; bright is good.

    `picked` is called when a cell is clicked; `clicked` says which.
    """
    rows, places = squares(board, cells, figure), ([NONE, *board.defenses], list(board.attacks))
    frame, spec = cache.kept(lambda: _heat(rows, *places, scaled(28), scaled(11)), "heat", rows, places, scaled(28))
    said = f"{figure.upper()} of {len(board.defenses)} defenses on {len(board.attacks)} attacks; {len(cells)} filled."
    st.vega_lite_chart(frame, spec, width="stretch", key=key, on_select=picked, selection_mode="pick", alt=said)


def squares(board: Board, cells: Cells, figure: str) -> list[dict[str, Any]]:
    """Every square of the table: what stands in it, what its tooltip tells, and how good it is, in [0, 1]."""
    rows: list[dict[str, Any]] = []
    for attack in board.attacks:
        met = next((cell for (_, against), cell in cells.items() if against == attack), None)
        if met is not None and figure != "der":
            value = met.mean(figure, "before")
            rows.append(_square(NONE, attack, number(figure, value), "before any defense", good(figure, value)))
        for defense in board.defenses:
            cell = cells.get((defense, attack))
            if cell is None:
                rows.append(_square(defense, attack, "", "not run yet", None))
            else:
                value = cell.mean(figure)
                rows.append(_square(defense, attack, number(figure, value), told(cell, figure), good(figure, value)))
    return rows


def _square(defense: str, attack: str, label: str, told: str, good: float | None) -> dict[str, Any]:
    return {"defense": defense, "attack": attack, "label": label, "runs": told, "good": good}


def _heat(
    rows: list[dict[str, Any]], defenses: list[str], attacks: list[str], row: int, font: int
) -> tuple[DataFrame, dict[str, Any]]:
    import altair as alt
    import pandas as pd

    base = alt.Chart(alt.NamedData("squares")).encode(
        x=alt.X("attack:N", sort=attacks, title=None, axis=alt.Axis(
            orient="top", labelAngle=-40, labelLimit=0, labelOverlap=False, ticks=False, domain=False)),
        y=alt.Y("defense:N", sort=defenses, title=None, axis=alt.Axis(
            labelLimit=0, labelOverlap=False, ticks=False, domain=False)),
    )  # fmt: skip
    filled = base.transform_filter("isValid(datum.good)")
    colours = filled.mark_rect().encode(
        color=alt.Color("good:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None)
    )
    figures = filled.mark_text(fontSize=font).encode(
        text="label:N", color=alt.condition("datum.good > 0.55", alt.value("#000000"), alt.value("#FFFFFF"))
    )
    # On top and without a colour: the first click counts wherever in a square it falls, also on its figure.
    touch = (
        base.mark_rect(fill="transparent", stroke=GREY, strokeWidth=0.5, cursor="pointer")
        .encode(tooltip=["defense:N", "attack:N", "runs:N"])
        .add_params(alt.selection_point(name="pick", fields=["defense", "attack"], toggle=False))
    )
    chart = (colours + figures + touch).properties(height=row * len(defenses) + HEAD)
    return pd.DataFrame(rows), specification(chart)


def clicked(board: Board, key: str) -> tuple[str, str] | None:
    """Defense and attack of the square that was clicked in the table `key`; None for the first row, or for none."""
    points = st.session_state[key]["selection"]["pick"]
    if not points or points[0]["defense"] not in board.defenses:
        return None
    return points[0]["defense"], points[0]["attack"]


def told(cell: Cell, figure: str) -> str:
    """ "97.3 ± 0.4" over several seeds, "97.3" for one."""
    text, spread = number(figure, cell.mean(figure)), cell.spread(figure)
    return text if spread is None else f"{text} ± {number(figure, spread)}"


def number(figure: str, value: float) -> str:
    """A share in percent without its sign, DER with two decimals."""
    return f"{value:.2f}" if figure == "der" else f"{100 * value:.1f}"


def good(figure: str, value: float) -> float:
    """How good a figure is, from 0 to 1."""
    share = min(1.0, max(0.0, (value - LOW[figure]) / (1 - LOW[figure])))
    return 1 - share if figure == "asr" else share


def ranking(standings: dict[str, list[Standing]]) -> None:
    """Mean DER with its interval, best rank on top; `standings` by how thresholds were chosen, the shown one first."""
    rows: list[dict[str, Any]] = [
        {"defense": one.defense, "chosen by": rule, "DER": one.der, "low": (one.interval or (one.der,))[0],
         "high": (one.interval or (one.der,))[-1], "rank": "–" if one.rank is None else f"{one.rank:.1f}",
         "ASR left": one.asr, "ACC lost": one.lost, "attacks": one.attacks, "runs": one.runs}
        for rule, table in standings.items() for one in table
    ]  # fmt: skip
    if not rows:
        st.caption("No finished run yet. Choose a cell and run it.")
        return
    first = next(iter(standings.values()))
    labels = {one.defense: "–" if one.rank is None else f"{one.rank:.1f}" for one in first}
    for row in rows:
        row["name"] = f"{row['defense']}  {labels.get(row['defense'], '–')}"
    _ranking(rows, scaled(BAND))


@once
def _ranking(rows: list[dict[str, Any]], band: int) -> None:
    import altair as alt
    import pandas as pd

    rules = list(dict.fromkeys(row["chosen by"] for row in rows))
    names = list(dict.fromkeys(row["name"] for row in rows))
    legend = alt.Legend(orient="top", title=None, symbolSize=90, symbolOpacity=1) if len(rules) > 1 else None
    base = alt.Chart(pd.DataFrame(rows)).encode(
        # A step per rule, a gap and a line between defenses: no bar lies on another, and every name has its place.
        y=alt.Y("name:N", sort=names, title=None, scale=alt.Scale(paddingInner=0.35, paddingOuter=0.2), axis=alt.Axis(
            labelLimit=0, labelOverlap=False, grid=True, tickBand="extent", ticks=False)),
        yOffset=alt.YOffset("chosen by:N", sort=rules),
        color=alt.Color("chosen by:N", sort=rules, legend=legend),
        tooltip=["defense", "chosen by", alt.Tooltip("DER", format=".3f"), alt.Tooltip("low", format=".3f"),
                 alt.Tooltip("high", format=".3f"), "rank", alt.Tooltip("ASR left", format=".1%"),
                 alt.Tooltip("ACC lost", format=".1%"), "attacks", "runs"],
    )  # fmt: skip
    scale = alt.Scale(domain=[min(0.4, *(row["low"] for row in rows)), 1])
    x = alt.X("DER:Q", scale=scale, title="mean DER", axis=alt.Axis(tickCount=4))
    lines = base.mark_rule(strokeWidth=2, clip=True).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    dots = base.mark_point(filled=True, size=60).encode(x=x, shape=alt.Shape("chosen by:N", sort=rules, legend=legend))
    said = ", ".join(f"{row['defense']} {row['DER']:.2f}" for row in rows if row["chosen by"] == rules[0])
    height = len(names) * (band * len(rules) + 10)
    st.altair_chart((lines + dots).properties(height=height), width="stretch", alt=f"Mean DER: {said}.")


def runs(cell: Cell) -> None:
    """The seeds of a cell, one row each."""
    import pandas as pd

    rows = [
        {"seed": seed, **{name.upper(): 100 * row["figures"][f"after/{name}"] for name in ("acc", "asr", "ra")},
         "DER": row["figures"]["der"], "s": row["seconds"]}
        for seed, row in cell.rows.items()
    ]  # fmt: skip
    shares = {name: st.column_config.NumberColumn(format="%.1f %%") for name in ("ACC", "ASR", "RA")}
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height=37 + 35 * min(3, len(rows)), alt="The runs of the chosen cell",
        column_config={**shares, "DER": st.column_config.NumberColumn(format="%.2f"),
                       "s": st.column_config.NumberColumn(format="%.0f", help="seconds")},
    )  # fmt: skip
