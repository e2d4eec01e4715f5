"""Sharing a run: the link, the files, and the lines of Python that reproduce it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui import present
from ui.pages import Page
from ui.widgets import copy_link
from ui.widgets.images import View, png

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.results import Result

UPLOAD = "Your uploaded picture is not in the link; whoever opens it is asked for one."


@st.fragment
def block(
    page: Page,
    recipe: Recipe,
    result: Result | None = None,
    views: Sequence[View] = (),
    extra: Mapping[str, str] | None = None,
    *,
    query: copy_link.Query | None = None,
) -> None:
    """Copy link, downloads and 'as Python', in one row of buttons; of a page that is presented, the link alone.

    A fragment: what opens the link need not run the page again.
    `extra` is what the link says beside the recipe; `query` what it says instead, where the page is not one run.
    """
    said = {"v": "1", **(_query(recipe) if query is None else query), **(extra or {})}
    with st.container(horizontal=True, key=f"share-{page.slug}"):
        own = str(recipe.inputs.get("images", "")).startswith("upload:")
        copy_link.draw(page, said, UPLOAD if own else "")
        if present.on():
            return
        with st.popover("As Python", icon=":material/code:"):
            st.caption("Runs without the app: only `core` and `models`.")
            st.code(recipe.python(), language="python")
        _file("Recipe", lambda: recipe.to_json(indent=2).encode(), f"{page.slug}-recipe.json", "application/json")
        if views:
            _file("PNG", lambda: png(views), f"{page.slug}.png", "image/png")
        if result is not None:
            _file("CSV", lambda: table(result), f"{page.slug}.csv", "text/csv")
            _file("JSON", lambda: json.dumps(result.row(), indent=2).encode(), f"{page.slug}.json", "application/json")


def _query(recipe: Recipe) -> dict[str, str]:
    """The recipe's settings as the page's controls take them; a model that a run has left is named by its run."""
    if isinstance(recipe.model, str):
        return recipe.to_query()
    from lab.links import to_query
    from lab.saving import ref_of

    return to_query(recipe, ref_of(recipe.model))


def _file(label: str, data: Callable[[], bytes], name: str, mime: str) -> None:
    """A download whose file is built when it is asked for."""
    st.download_button(label, data, name, mime, key=f"download-{name}", icon=":material/download:", on_click="ignore")


def table(result: Result) -> bytes:
    """Every figure with its n, those of the kind's scores first and by their names; what came out; the curve."""
    out = io.StringIO()
    writer = csv.writer(out)
    kind = result.recipe.kind
    names = {score.figure: score.label for score in kind.scores if score.figure in result.figures}
    writer.writerow(["figure", "value", "n", "name"])
    for name in dict.fromkeys([*names, *result.figures]):
        writer.writerow([name, result.figures[name], result.counts.get(name, ""), names.get(name, "")])
    columns = list(dict.fromkeys(name for point in result.curve for name in point))
    if columns:
        writer.writerow([])
        writer.writerow(columns)
        writer.writerows([point.get(name, "") for name in columns] for point in result.curve)
    writer.writerow([])
    if (came_out := result.conclusion) is not None:
        writer.writerow(["conclusion", came_out.text])
    writer.writerow(["recipe", json.dumps(result.recipe.to_dict(), sort_keys=True)])
    return out.getvalue().encode()
