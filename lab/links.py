"""A recipe as the query of a URL.

Flat while nothing is nested: `v=1&method=TSBD&model=zoo:scenes-badnets&data=scenes&seed=0&tsbd-neuron_ratio=0.05`.
Every knob is written, because a link must keep its meaning when a default changes. A chain, `Scenes(...)` with
other dials, or a method inside a method goes into one `recipe=` parameter that holds the JSON. `v=1` always.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.knobs import Knob, Method, knobs_of
from lab import methods
from lab.inputs import SEED
from lab.kinds import kind_of

if TYPE_CHECKING:
    from lab.recipes import Recipe


def prefix(method: Method | type[Method]) -> str:
    """What a method's widget keys start with: "tsbd-"."""
    cls = method if isinstance(method, type) else type(method)
    return cls.__name__.lower() + "-"


def to_query(recipe: Recipe, model: str | None = None) -> dict[str, str]:
    """The query of a recipe, as text by name; `model` names the run that it builds on, so that a chain is flat too."""
    start = recipe.model if model is None else model
    if not isinstance(start, str) or _nested(recipe):
        return {"v": "1", "recipe": recipe.to_json()}
    query = {"v": "1", "method": type(recipe.method).__name__, "model": start, "data": recipe.data}
    query["seed"] = str(recipe.seed)
    for name, value in recipe.inputs.items():
        text = recipe.kind.inputs[name].text
        assert text is not None  # _nested
        query[name] = text(value)
    return query | of_knobs(recipe.method)  # type: ignore[return-value]  # _nested has shown the data to be str


def of_knobs(method: Method) -> dict[str, str]:
    """The knobs of a method by widget key; one that holds another method is left out."""
    return {prefix(method) + k.name: _text(getattr(method, k.name)) for k in knobs_of(method) if k.kind is not Method}


def to_data(query: Mapping[str, str]) -> dict[str, Any]:
    """The JSON data of a recipe in a query; ValueError names a parameter that is wrong.

    Parameters that are not the recipe's own (`embed=true`, a page's picture) are left alone.
    """
    if query.get("v", "1") != "1":
        raise ValueError(f"This link has version {query['v']!r}, and this lab reads version 1.")
    if "recipe" in query:
        try:
            return json.loads(query["recipe"])
        except (json.JSONDecodeError, RecursionError):
            raise ValueError("The link's recipe is not valid JSON; the link may be incomplete.") from None
    if "method" not in query:
        raise ValueError("The link names no method.")
    cls = methods.find(query["method"])
    known = {name: each for name, each in kind_of(cls).inputs.items() if each.text is not None}
    inputs = {name: each.parse(query[name]) for name, each in known.items() if name in query}
    data: dict[str, Any] = {"method": {"method": cls.__name__, **_knobs(cls, query)}, "inputs": inputs}
    data |= {name: query[name] for name in ("model", "data") if name in query}
    return data | ({"seed": SEED.parse(query["seed"])} if "seed" in query else {})


def _nested(recipe: Recipe) -> bool:
    """Whether a flat query cannot hold the recipe, whatever its model."""
    held = [k for k in knobs_of(recipe.method) if k.kind is Method]
    return (
        not isinstance(recipe.data, str)
        or any(recipe.kind.inputs[name].text is None for name in recipe.inputs)
        or any(getattr(recipe.method, k.name) != k.default for k in held)
    )


def _knobs(cls: type[Method], query: Mapping[str, str]) -> dict[str, Any]:
    knobs: dict[str, Knob] = {k.name: k for k in knobs_of(cls)}
    values = {}
    for name, text in query.items():
        if not name.startswith(prefix(cls)):
            continue
        knob = knobs.get(name.removeprefix(prefix(cls)))
        if knob is None or knob.kind is Method:
            raise ValueError(f"{name} in the link is not a knob of {cls.__name__}.")
        values[knob.name] = methods.parse(knob, text, cls.__name__)
    return values


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
