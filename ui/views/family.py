"""The family of nets on the Flatness page: its scatter, how a measure orders it, and the net that was clicked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from ui import cache
from ui.charts import flatness as charts
from ui.charts import landscape
from ui.errors import plain
from ui.views import under_attack
from ui.widgets import link

if TYPE_CHECKING:
    from lab.results import Result
    from ui.sidebar import Choice

CHART, NET = "flatness-family", "net"


def moves(result: Result) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """Each measure of a rescaling before and after it, by its label, and its unit."""
    labels = {score.key: score for score in result.recipe.kind.scores}
    found = {
        "Relative ball" if key == "flatness" else labels[key].label: key for key in ("flatness", "absolute", "trace")
    }
    units = {label: labels[key].unit for label, key in found.items()}
    figures = result.figures
    return {label: (figures[f"before/{key}"], figures[key]) for label, key in found.items()}, units


def block(choice: Choice) -> None:
    """Every net that was measured, by two measures, and the one that is chosen close up."""
    from lab import flatness_family as table

    st.header("Over a family of nets", anchor=False)
    sets = table.data_sets()
    if not sets:
        st.info(
            "No family has been measured yet: there is no stored table. `python -m bench.flatness` measures every "
            "plain and robust net of the zoo.", icon=":material/info:",
        )  # fmt: skip
        return
    one, two, three, four = st.columns([1, 1, 1, 1], vertical_alignment="bottom")
    with one:
        data = link.choose("Nets on", sets, key="nets", help="The data set that they were trained on.")
    with two:
        measure = link.choose("Flatness", list(table.MEASURES), key="measure", help="How each net is measured.")
    with three:
        against = link.choose("Against", list(table.AGAINST), key="against", help="gap: training less test pictures.")
    with four:
        robust = link.pick(
            "Which", ["robust", "all"], "robust", key="which",
            help=f"robust: those that get at least {table.WITHSTANDS:.0%} of the test pictures right under the attack.",
        )  # fmt: skip
    found = table.family(data, robust == "robust")
    if not found.rows:
        st.info("None of these nets withstands the attack; choose **all**.", icon=":material/info:")
        return
    names = [row["net"] for row in found.rows]
    chosen: str = st.session_state.get(NET, "")
    chosen = chosen if chosen in names else names[0]

    def picked() -> None:
        """The net that was clicked becomes the chosen one."""
        if net := charts.clicked(CHART):
            st.session_state[NET] = net

    titles = table.MEASURES | table.AGAINST
    charts.family(found.rows, measure, against, titles, found.units, chosen, key=CHART, picked=picked)
    st.markdown(cache.kept(lambda: table.said(found.correlation(measure, against), measure, against), "rank", found,
                           measure, against))  # fmt: skip
    st.caption(f"{found.behind} Click a net.")
    _close_up(found.rows[names.index(chosen)], data, choice, table.curves().get(chosen))
    for name, rows in table.epochs().items():
        st.subheader(f"{name}, epoch by epoch", anchor=False)
        charts.epochs(rows)
        st.caption(table.over_epochs(rows))


def _close_up(row: dict, data: str, choice: Choice, curve: dict | None) -> None:
    """One net: a slice of its landscape, and a picture as it sees it, plain and attacked."""
    net = row["net"]
    st.markdown(
        f"**{net}**: robust loss {row['robust loss']:.2f} nats, right under attack {row['robust']:.1%} (training "
        f"pictures {row['robust, train']:.1%}), average-case flatness {row['average']:+.2f} nats."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        if curve is not None:
            landscape.lines(curve["alphas"], {net: [curve["loss"]]}, {net: [curve["fixed"]]}, "robust loss", height=230)
            st.caption(f"A slice of its landscape, {curve['n']} test pictures; dashed: the examples of α = 0 kept.")
    seen = dataclasses.replace(choice, model=f"zoo:{net}", data=data, upload="")
    with right:
        try:
            views = under_attack.views(seen)
        except ValueError as error:  # the pictures may need a network; the figures above do not
            st.info(plain(error), icon=":material/info:")
            return
        under_attack.row(views, f"Test picture {seen.index} of {data}. ")
