"""Methods as JSON data.

`{"method": "TSBD", "neuron_ratio": 0.05}` is a method; a knob that holds another method holds such a dictionary in
turn. Whoever reads one says which names are known, so that a file or a link can build nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from core.knobs import Knob, Method, knobs_of

Find = Callable[[str], type[Method]]
"""The method class of a name; raises ValueError for a name that is not known."""


def to_dict(method: Method) -> dict[str, Any]:
    """A method as JSON data: its name and every knob, nested methods as dictionaries."""
    values = {k.name: getattr(method, k.name) for k in knobs_of(method)}
    return {"method": type(method).__name__} | {
        name: to_dict(value) if isinstance(value, Method) else value for name, value in values.items()
    }


def from_dict(data: Any, find: Find) -> Method:
    """The method that `to_dict` wrote; ValueError in one sentence on an unknown name, knob or value."""
    if not isinstance(data, dict) or not isinstance(data.get("method"), str):
        raise ValueError(f'{data!r} is not a method; write it as {{"method": "TSBD", ...}}.')
    cls = find(data["method"])
    knobs = {k.name: k for k in knobs_of(cls)}
    values = {name: value for name, value in data.items() if name != "method"}
    for name in values:
        if name not in knobs:
            raise ValueError(f"{cls.__name__} has no knob {name!r}; it has {', '.join(knobs) or 'none'}.")
    return cls(**{name: _value(knobs[name], value, find) for name, value in values.items()})


def _value(k: Knob, value: Any, find: Find) -> Any:
    if k.kind is Method and value is not None:
        return from_dict(value, find)
    if k.kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1000 else math.inf  # beyond any float: the knob's range refuses it
    return value
