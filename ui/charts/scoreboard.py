"""The scoreboard drawn: a heat table with numbers, and where each defense stands over all attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import scaled

if TYPE_CHECKING:
    from lab.scoreboard import Board, Cell, Cells, Standing

NONE = "no defense"
LOW = {"acc": 0.5, "asr": 0.0, "ra": 0.0, "der": 0.5}
"""Where the colours of a figure begin: an accuracy of 50 % and a DER of 0.5 are as bad as they come here."""

CIVIDIS = ((0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 175, 111), (254, 232, 56))


def heat(board: Board, cells: Cells, figure: str, *, key: str, picked: Callable[[], None]) -> None:
    """One row per defense, one column per attack, mean ± standard deviation over the seeds; bright is good.

    `picked` is called when a cell is clicked; `clicked` says which.
    """
    import pandas as pd

    rows = [NONE, *board.defenses]
    texts = pd.DataFrame("", index=rows, columns=list(board.attacks))
    colours = pd.DataFrame("", index=rows, columns=list(board.attacks))
    for attack in board.attacks:
        cell = next((cell for (_, met), cell in cells.items() if met == attack), None)
        if cell is not None and figure != "der":
            value = cell.mean(figure, "before")
            texts.loc[NONE, attack], colours.loc[NONE, attack] = number(figure, value), colour(figure, value)
    for (defense, attack), cell in cells.items():
        texts.loc[defense, attack] = told(cell, figure)
        colours.loc[defense, attack] = colour(figure, cell.mean(figure))
    full = len(cells)
    st.dataframe(
        texts.rename_axis("defense").style.apply(lambda _: colours, axis=None),
        key=key, on_select=picked, selection_mode="single-cell", width="stretch", height=37 + 35 * len(rows),
        alt=f"{figure.upper()} of {len(board.defenses)} defenses on {len(board.attacks)} attacks; {full} cells filled.",
    )  # fmt: skip


def clicked(board: Board, key: str) -> tuple[str, str] | None:
    """Defense and attack of the cell that was clicked in the table `key`; None for the first row, or for none."""
    cells = st.session_state[key]["selection"]["cells"]
    if not cells:
        return None
    row, attack = cells[0]
    return None if row == 0 else (list(board.defenses)[row - 1], attack)


def told(cell: Cell, figure: str) -> str:
    """ "97.3 ± 0.4" over several seeds, "97.3" for one."""
    text, spread = number(figure, cell.mean(figure)), cell.spread(figure)
    return text if spread is None else f"{text} ± {number(figure, spread)}"


def number(figure: str, value: float) -> str:
    """A share in percent without its sign, DER with two decimals."""
    return f"{value:.2f}" if figure == "der" else f"{100 * value:.1f}"


def colour(figure: str, value: float) -> str:
    """CSS of a cell: a colour between dark blue (bad) and yellow (good), and text that can be read on it."""
    share = min(1.0, max(0.0, (value - LOW[figure]) / (1 - LOW[figure])))
    place = 4 * (1 - share if figure == "asr" else share)
    low = min(3, int(place))
    red, green, blue = (round(a + (place - low) * (b - a)) for a, b in zip(CIVIDIS[low], CIVIDIS[low + 1], strict=True))
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 125
    return f"background-color: rgb({red}, {green}, {blue}); color: {'black' if bright else 'white'}"


def ranking(standings: dict[str, list[Standing]], *, height: int) -> None:
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
    _ranking(rows, scaled(height))


@st.cache_data(max_entries=64, show_spinner=False)
def _ranking(rows: list[dict[str, Any]], height: int) -> None:
    import altair as alt
    import pandas as pd

    rules = list(dict.fromkeys(row["chosen by"] for row in rows))
    names = list(dict.fromkeys(row["name"] for row in rows))
    legend = alt.Legend(orient="bottom", title=None) if len(rules) > 1 else None
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=150)),
        yOffset=alt.YOffset("chosen by:N", sort=rules),
        color=alt.Color("chosen by:N", sort=rules, legend=legend),
        tooltip=["defense", "chosen by", alt.Tooltip("DER", format=".3f"), alt.Tooltip("low", format=".3f"),
                 alt.Tooltip("high", format=".3f"), "rank", alt.Tooltip("ASR left", format=".1%"),
                 alt.Tooltip("ACC lost", format=".1%"), "attacks", "runs"],
    )  # fmt: skip
    scale = alt.Scale(domain=[0.4, 1])
    x = alt.X("DER:Q", scale=scale, title="mean DER", axis=alt.Axis(tickCount=4))
    lines = base.mark_rule(strokeWidth=2, clip=True).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    dots = base.mark_point(filled=True, size=60).encode(x=x, shape=alt.Shape("chosen by:N", sort=rules, legend=legend))
    said = ", ".join(f"{row['defense']} {row['DER']:.2f}" for row in rows if row["chosen by"] == rules[0])
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
