"""Many recipes, here or on anything shaped like `concurrent.futures.Executor`: threads, processes, Dask, submitit.

One recipe is one row; a recipe whose key the past knows already is not run again, so a sweep that was broken off goes
on where it stopped.
"""

from __future__ import annotations

import fnmatch
import itertools
import json
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, as_completed
from typing import Any, Protocol

import models
from core.defenses import DEFENSES
from core.knobs import Method, knobs_of
from core.runs import finish
from lab import methods
from lab.errors import sentence
from lab.kinds import kind_of
from lab.recipes import Recipe


class Past(Protocol):
    """What is known already, and where new rows go: `lab.history.History`, or `lab.run_log.RunLog`."""

    def find(self, key: str) -> dict[str, Any] | None: ...

    def add(self, row: dict[str, Any]) -> bool: ...


def run_row(text: str) -> dict[str, Any]:
    """Run one recipe, given as JSON, to its end: its row, or its JSON and "error". Text in, data out: picklable.

    Whatever a run raises ends this run alone; only what stops the program (KeyboardInterrupt, SystemExit) goes on.
    """
    try:
        return finish(Recipe.from_json(text).run()).row()
    except Exception as error:
        return _failed(json.loads(text), error)


def _failed(recipe: dict[str, Any], error: Exception) -> dict[str, Any]:
    return {"recipe": recipe, "error": sentence(error)}


def sweep(
    recipes: Iterable[Recipe], executor: Executor | None = None, past: Past | None = None, *, fresh: bool = False
) -> Generator[dict[str, Any], None, None]:
    """The rows of all recipes, as they finish; those that `past` knows come first, marked "known".

    Without an executor they run here, one after the other. Each new row is added to `past` before it is handed out;
    `fresh` runs again what is known. A recipe that cannot be run has a row with "error", and the others go on.
    """
    waiting = []
    for recipe in dict.fromkeys(recipes):
        try:
            known = None if past is None or fresh else past.find(recipe.key())
        except Exception as error:  # a model or data set that cannot be loaded
            yield _failed(recipe.to_dict(), error)
            continue
        if known is not None:
            yield known | {"known": True}
        else:
            waiting.append(recipe.to_json())
    for row in map(run_row, waiting) if executor is None else _side_by_side(waiting, executor):
        if past is not None and "error" not in row:
            past.add(row)
        yield row


def _side_by_side(texts: list[str], executor: Executor) -> Iterator[dict[str, Any]]:
    """The rows as they end; whoever closes this gives up those that have not begun."""
    futures = {executor.submit(run_row, text): text for text in texts}
    try:
        for future in _ended(list(futures)):
            try:
                row = future.result()
            except Exception as error:  # a worker that died, a row that did not come back
                row = _failed(json.loads(futures[future]), error)
            yield row
    finally:
        for future in futures:
            future.cancel()


def _ended(futures: list[Any]) -> Iterator[Any]:
    """The futures as they end; in order where they are not of the standard library's kind (Dask's, submitit's)."""
    try:
        yield from as_completed(futures)
    except (AttributeError, TypeError):
        yield from futures


def recipes_of(text: str) -> list[Recipe]:
    """The recipes of a sweep file: a list of recipes, one recipe, or {"recipe": …, "grid": {"seed": [0, 1], …}}.

    A grid crosses its lists, the last one fastest; a name is a field of the recipe ("model", "method", "seed"), of its
    inputs, or a knob. A star stands for all: "zoo:scenes-*" for every shipped model of that name with a backdoor, and
    {"method": "*"} for every repair that takes the knobs beside it ({"method": "*", "selection": "oracle"}).
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"The sweep is not valid JSON at line {error.lineno}.") from None
    if isinstance(data, list):
        return [Recipe.from_dict(each) for each in data]
    if not isinstance(data, dict) or "grid" not in data:
        return [Recipe.from_dict(data)]
    return crossed(data.get("recipe"), data["grid"])


def crossed(base: Any, grid: Any) -> list[Recipe]:
    """Every point of a grid filled into the recipe `base`, see `recipes_of`."""
    if not isinstance(grid, dict) or not all(isinstance(values, list) and values for values in grid.values()):
        raise ValueError('grid must be an object of lists, such as {"neuron_ratio": [0.05, 0.1], "seed": [0, 1]}.')
    if not isinstance(base, dict):
        raise ValueError("A sweep with a grid needs a recipe that the grid is filled into.")
    lists = {name: [one for value in values for one in _all_of(name, value)] for name, values in grid.items()}
    return [_placed(base, dict(zip(lists, point, strict=True))) for point in itertools.product(*lists.values())]


def _all_of(name: str, value: Any) -> list[Any]:
    """What a value of a grid stands for: itself, unless it holds a star."""
    if name == "model" and isinstance(value, str) and "*" in value:
        found = [card.ref for card in models.available() if card.backdoored and fnmatch.fnmatch(card.ref, value)]
        if not found:
            raise ValueError(f"No shipped model with a backdoor is called {value}.")
        return found
    if name == "method" and isinstance(value, dict) and value.get("method") == "*":
        knobs = {name: one for name, one in value.items() if name != "method"}
        named = [cls for cls in DEFENSES if _takes(cls, knobs)]
        if not named:
            raise ValueError(f"No defense takes all of these knobs: {', '.join(sorted(knobs))}.")
        return [value | {"method": cls.__name__} for cls in named]
    return [value]


def _takes(method: type[Method], knobs: dict[str, Any]) -> bool:
    """Whether a method has all of these knobs, and these words among the choices of each that has choices."""
    known = {k.name: k for k in knobs_of(method)}
    return all(name in known and one in (known[name].choices or (one,)) for name, one in knobs.items())


def _placed(base: dict[str, Any], point: dict[str, Any]) -> Recipe:
    """`base` with one point of the grid filled in: the fields first, so that a knob meets the method it belongs to."""
    fields = {name: value for name, value in point.items() if name in FIELDS}
    data = json.loads(json.dumps(base | fields))
    for name, value in point.items():
        if name in FIELDS:
            continue
        if name in data.get("method", {}) or name not in kind_of(methods.from_dict(data.get("method"))).inputs:
            data.setdefault("method", {})[name] = value
        else:
            data.setdefault("inputs", {})[name] = value
    return Recipe.from_dict(data)


FIELDS = ("method", "model", "data", "seed")
