"""What is known of a landscape, of a run as it goes on or of its result, drawn as lines, heat map or surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import landscape as charts

if TYPE_CHECKING:
    from torch import Tensor

    from lab.recipes import Recipe
    from lab.running.job import Job


def scores(job: Job | None, recipe: Recipe) -> set[str]:
    """The scores that such a run can have."""
    asked = recipe if job is None else job.recipe
    robust: Any = asked.method
    third = "other/rise" if "other" in asked.inputs else "reference"
    return {"rise", third} | ({"fixed/rise"} if robust.loss == "robust" else set())


def draw(job: Job, kept: bool, how: str) -> None:
    """The landscape; `kept` shows the loss on the examples of α = 0, `how` a plane as "heat map" or "surface"."""
    grids = _known(job)
    if grids is None:
        return
    method: Any = job.recipe.method
    loss, alphas = f"{method.loss} loss", _alphas(grids["loss"], method)
    names = [_name(job.recipe.model), *([job.recipe.inputs["other"]] if "other" in job.recipe.inputs else [])]
    if method.shape == "line":
        curves = dict(zip(names, _plain(grids["loss"]), strict=True))
        over = dict(zip(names, _plain(grids["fixed"]), strict=True)) if kept else {}
        charts.lines(alphas, curves, over, loss, height=380)
    else:
        _planes(alphas, names, grids["fixed" if kept else "loss"], _ends(grids["loss"]), loss, how)
    if kept:
        seen = "every network is shown the examples that were found at α = 0."
        line = method.shape == "line"
        st.caption(f"Dashed: {seen} Full: examples found anew for each." if line else f"Here {seen}")


def _planes(alphas: list[float], names: list[str], grids: Tensor, ends: list[float], loss: str, how: str) -> None:
    """A plane for each model on one scale, that of the loss on examples found anew."""
    for place, name, grid in zip(st.columns(len(names), gap="small"), names, _plain(grids), strict=True):
        with place:
            show = charts.surface if how == "surface" else charts.heat
            show(alphas, grid, name, loss, ends, height=380)
    st.caption("Both on one scale." if len(names) > 1 else "The cross marks the weights themselves.")


def _known(job: Job) -> dict[str, Tensor] | None:
    """The losses so far, with NaN where there are none yet."""
    found = job.result.images if job.result is not None else {}
    if "loss" not in found and job.progress is not None:
        found = job.progress.images
    return {name: found[name] for name in ("loss", "fixed")} if "loss" in found else None


def _alphas(grid: Tensor, method: Any) -> list[float]:
    """α of each column, from the grid's width."""
    middle = grid.shape[2] // 2
    return [round(method.span * (place - middle) / middle, 4) for place in range(grid.shape[2])]


def _ends(grid: Tensor) -> list[float]:
    """The lowest and the highest value that is known, apart by something."""
    known = grid[~grid.isnan()]
    low, high = float(known.min()), float(known.max())
    return [low, high if high > low else low + 1e-6]


def _plain(grids: Tensor) -> list[list[list[float | None]]]:
    """As lists, with None for what is not known."""
    return [[[None if value != value else value for value in row] for row in grid] for grid in grids.tolist()]


def _name(model: Recipe | str) -> str:
    return model if isinstance(model, str) else "the chosen model"
