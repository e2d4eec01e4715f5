"""Finished runs: which one a link asks for, the list to choose from, and the table of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.figures import percent
from ui.frame import Choice

if TYPE_CHECKING:
    from lab.recipes import Recipe


def asked(choice: Choice) -> Recipe:
    """The run that the page is about: the link's, else the last defense of this visit, else TSBD on the chosen model.

    Raises ValueError in one sentence on a link that names no run this page can show.
    """
    from lab.recipes import Recipe

    query = st.query_params.to_dict()
    if "recipe" in query or "method" in query:
        query.pop("images", None)  # the sidebar's picture, not the run's
        recipe = Recipe.from_query({"model": choice.model, "data": choice.data, **query})
    elif (job := st.session_state.get("job-defend")) is not None:
        recipe = job.recipe
    else:
        from core.defenses import TSBD
        from lab.settings import settings

        recipe = Recipe(TSBD(), choice.model, choice.data, {"n": settings.control_n})
    if recipe.kind != "defense":
        raise ValueError(
            f"This page compares defenses, and {type(recipe.method).__name__} is none; open it on its own page."
        )
    return recipe


def name(recipe: Recipe) -> str:
    """ "TSBD on scenes-badnets, seed 0"; of a chain, the last two links."""
    base = recipe.model if isinstance(recipe.model, str) else type(recipe.model.method).__name__
    return f"{type(recipe.method).__name__} on {base.removeprefix('zoo:')}, seed {recipe.seed}"


def finished(limit: int = 60) -> list[dict[str, Any]]:
    """Rows of the history that are defenses, newest first, each run once."""
    from lab.history import history
    from lab.methods import REGISTRY, kind_of

    rows: dict[str, dict[str, Any]] = {}
    for row in history().rows(limit):
        if row["method"] in REGISTRY and kind_of(REGISTRY[row["method"]]) == "defense":
            rows.setdefault(row["key"], row)
    return list(rows.values())


def picker(recipe: Recipe) -> None:
    """The finished runs of this server as a list; the one on the page stands first."""
    from lab.recipes import Recipe as AnyRecipe

    choices = {recipe.to_json(): name(recipe)}
    for row in finished():
        try:
            found = AnyRecipe.from_dict(row["recipe"])
        except ValueError:
            continue  # a run of an older version of the lab
        score = row["figures"]
        told = f": ACC {percent(score['after/acc'])}, ASR {percent(score['after/asr'])}" if "after/asr" in score else ""
        choices.setdefault(found.to_json(), f"{name(found)}{told}")

    def choose() -> None:
        st.query_params["recipe"] = st.session_state["compare-run"]

    st.selectbox(
        "Run", list(choices), format_func=lambda key: choices.get(key, "?"), key="compare-run", on_change=choose,
        help="Runs that have finished on this server, newest first.",
    )  # fmt: skip


def table(recipe: Recipe) -> None:
    """All finished defenses: figures, seed, time; and ACC against ASR as a chart."""
    import pandas as pd

    from ui import charts

    rows = [
        {
            "Method": row["method"], "Model": _base(row["recipe"]), "Seed": row["recipe"].get("seed", 0),
            "ACC": row["figures"].get("after/acc"), "ASR": row["figures"].get("after/asr"),
            "RA": row["figures"].get("after/ra"), "DER": row["figures"].get("der"),
            "n": row["counts"].get("after/acc"), "Seconds": row["seconds"],
        }
        for row in finished()
    ]  # fmt: skip
    st.subheader("Finished runs on this server", anchor=False)
    if not rows:
        st.caption("None yet. Every defense that finishes on the Defend page appears here.")
        return
    frame = pd.DataFrame(rows)
    shares = {name: st.column_config.NumberColumn(name, format="percent") for name in ("ACC", "ASR", "RA")}
    left, right = st.columns([2.4, 1], gap="small")
    left.dataframe(
        frame, hide_index=True, height=min(260, 37 + 35 * len(rows)), alt="Finished defenses with their figures",
        column_config={**shares, "DER": st.column_config.NumberColumn(format="%.3f"),
                       "Seconds": st.column_config.NumberColumn(format="%.1f")},
    )  # fmt: skip
    with right:
        charts.trade(frame)


def _base(recipe: dict[str, Any]) -> str:
    model = recipe["model"]
    return model.removeprefix("zoo:") if isinstance(model, str) else f"after {model['method']['method']}"
