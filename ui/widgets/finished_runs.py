"""Finished runs: which one a link asks for, the list to choose from, and the table of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts.trade import trade
from ui.widgets import jobs

if TYPE_CHECKING:
    from lab.kinds.kind import Kind
    from lab.recipes import Recipe
    from ui.run_page import RunPage
    from ui.sidebar import Choice

RUN = "compare-run"
NAMED = ("recipe", "method", RUN)
"""What names the run, in the address and on the page."""


def asked(page: RunPage) -> Recipe:
    """The run that the page is about: the link's, else that of the first page that has run one of its kind on the
    chosen model, else TSBD on that model.

    Raises ValueError in one sentence on a link that names no run this page can show.
    """
    from lab.recipes import Recipe
    from lab.settings import settings

    choice, query = page.choice, st.query_params.to_dict()
    if "recipe" in query or "method" in query:
        recipe = Recipe.from_query({"model": choice.model, "data": choice.data, **query})
    elif own := [job.recipe for job in jobs.started() if job.recipe.kind is page.kind and _starts(job.recipe, choice)]:
        recipe = own[0]
    else:
        from core.defenses import TSBD

        recipe = Recipe(TSBD(), choice.model, choice.data, {"n": settings.control_n})
    if recipe.kind is not page.kind:
        name = type(recipe.method).__name__
        raise ValueError(f"This page compares defenses, and {name} is not one; open it on its own page.")
    return recipe


def _starts(recipe: Recipe, choice: Choice) -> bool:
    """Whether a run, or the chain that it ends, starts from the chosen model and data."""
    return recipe.data == choice.data and cache.starts_from(recipe, choice.model)


def name(recipe: Recipe) -> str:
    """ "TSBD on scenes-badnets, seed 0"; of a chain, the last two links."""
    base = recipe.model if isinstance(recipe.model, str) else type(recipe.model.method).__name__
    return f"{type(recipe.method).__name__} on {base.removeprefix('zoo:')}, seed {recipe.seed}"


def rows(kind: Kind, limit: int = 60) -> list[dict[str, Any]]:
    """Rows of the history of one kind, newest first, each run once."""
    from lab.history import history

    def make() -> list[dict[str, Any]]:
        names = {cls.__name__ for cls in kind.methods}
        found: dict[str, dict[str, Any]] = {}
        for row in history().rows(limit):
            if row["method"] in names:
                found.setdefault(row["key"], row)
        return list(found.values())

    return cache.kept(make, "runs", kind.name, limit, history().latest())


def picker(recipe: Recipe, runs: list[dict[str, Any]]) -> None:
    """The finished runs of this server (`rows`) as a list; the one on the page stands first."""
    from lab.recipes import Recipe as AnyRecipe

    choices = {recipe.to_json(): name(recipe)}
    for row in runs:
        try:
            found = AnyRecipe.from_dict(row["recipe"])
        except ValueError:
            continue  # a run of an older version of the lab
        figures = row["figures"]
        told = [f"{one.name} {one.text(figures[one.figure])}" for one in recipe.kind.live if one.figure in figures]
        choices.setdefault(found.to_json(), f"{name(found)}{': ' if told else ''}{', '.join(told)}")

    def choose() -> None:
        st.query_params["recipe"] = st.session_state[RUN]

    st.selectbox(
        "Run", list(choices), format_func=lambda key: choices.get(key, "?"), key=RUN, on_change=choose,
        help="Runs that have finished on this server, newest first.",
    )  # fmt: skip


def table(kind: Kind, runs: list[dict[str, Any]]) -> None:
    """All finished runs (`rows`) of a kind: scores, seed, time; and its first two scores against each other."""
    import pandas as pd

    rows = [
        {"Method": row["method"], "Model": _base(row["recipe"]), "Seed": row["recipe"].get("seed", 0)}
        | {score.name: row["figures"].get(score.figure) for score in kind.scores}
        | {"n": row["counts"].get(kind.scores[0].figure), "Seconds": row["seconds"]}
        for row in runs
    ]
    st.header("Finished runs on this server", anchor=False)
    if not rows:
        st.caption("None yet. Every run of this kind that finishes appears here.")
        return
    frame = pd.DataFrame(rows)
    columns = {
        score.name: st.column_config.NumberColumn(
            score.name, format="percent" if score.unit == "%" else "%.3f", help=score.help or None
        )
        for score in kind.scores
    }
    left, right = st.columns([2.4, 1], gap="small")
    left.dataframe(
        frame, hide_index=True, height=min(260, 37 + 35 * len(rows)), alt="Finished runs with their figures",
        column_config={**columns, "Seconds": st.column_config.NumberColumn(format="%.1f")},
    )  # fmt: skip
    with right:
        trade(rows, kind.scores[1], kind.scores[0])


def _base(recipe: dict[str, Any]) -> str:
    model = recipe["model"]
    return model.removeprefix("zoo:") if isinstance(model, str) else f"after {model['method']['method']}"
