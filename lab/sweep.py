"""Many recipes on anything shaped like `concurrent.futures.Executor`: threads, processes, Dask, submitit.

One recipe is one row; a recipe whose key the history knows already is not run again, so a sweep that was broken
off goes on where it stopped.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from typing import Any

from core.runs import finish
from lab.history import History
from lab.recipes import Recipe


def run_row(text: str) -> dict[str, Any]:
    """Run one recipe, given as JSON, to its end: its row, or its JSON and "error". Text in, data out: picklable."""
    try:
        return finish(Recipe.from_json(text).run()).row()
    except ValueError as error:
        return {"recipe": json.loads(text), "error": str(error)}


def sweep(recipes: Iterable[Recipe], executor: Executor, history: History | None = None) -> Iterator[dict[str, Any]]:
    """The rows of all recipes, as they finish; those that `history` knows come first, marked "known"."""
    futures = []
    for recipe in dict.fromkeys(recipes):
        known = None if history is None else history.find(recipe.key())
        if known is not None:
            yield known | {"known": True}
        else:
            futures.append(executor.submit(run_row, recipe.to_json()))
    for future in _ended(futures):
        row = future.result()
        if history is not None and "error" not in row:
            history.add(row)
        yield row


def _ended(futures: list[Any]) -> Iterator[Any]:
    """The futures as they end; in order where they are not of the standard library's kind (Dask's, submitit's)."""
    try:
        yield from as_completed(futures)
    except (AttributeError, TypeError):
        yield from futures


def recipes_of(text: str) -> list[Recipe]:
    """The recipes of a sweep file: a list of recipes, one recipe, or {"recipe": …, "grid": {"seed": [0, 1], …}}.

    A grid crosses its lists; a name is a field of the recipe ("model", "seed"), of its inputs, or a knob.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"The sweep is not valid JSON at line {error.lineno}.") from None
    if isinstance(data, list):
        return [Recipe.from_dict(each) for each in data]
    if not isinstance(data, dict) or "grid" not in data:
        return [Recipe.from_dict(data)]
    grid = data["grid"]
    if not isinstance(grid, dict) or not all(isinstance(values, list) for values in grid.values()):
        raise ValueError('grid must be an object of lists, such as {"neuron_ratio": [0.05, 0.1], "seed": [0, 1]}.')
    Recipe.from_dict(data.get("recipe"))
    points = itertools.product(*grid.values())
    return [_placed(data["recipe"], dict(zip(grid, point, strict=True))) for point in points]


def _placed(base: dict[str, Any], point: dict[str, Any]) -> Recipe:
    """`base` with one point of the grid filled in."""
    data = json.loads(json.dumps(base))
    for name, value in point.items():
        if name in ("model", "data", "seed", "method"):
            data[name] = value
        elif name in data["method"] or name not in Recipe.INPUTS:
            data["method"][name] = value
        else:
            data.setdefault("inputs", {})[name] = value
    return Recipe.from_dict(data)
