"""Every registered method by name, and methods as plain data.

`{"method": "TSBD", "neuron_ratio": 0.05}` is a method as JSON; a knob that holds another method holds such a
dictionary in turn. Only registered names are accepted, so that a link can build nothing else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from core.data import Scenes
from core.knobs import Knob, Method, knobs_of
from core.training import PARTS
from core.triggers import Poison
from lab.kinds import kinds

OTHERS: dict[str, list[type[Method]]] = {"part": [Poison, *PARTS], "data": [Scenes]}
"""Methods that stand in a recipe without being an experiment: parts of a training, and generated data."""


@functools.cache
def registry() -> Mapping[str, type[Method]]:
    """Every registered method by its name."""
    return {cls.__name__: cls for members in groups().values() for cls in members}


def groups() -> dict[str, list[type[Method]]]:
    """The methods by the name of their kind, then OTHERS."""
    return {kind.name: list(kind.methods) for kind in kinds().values()} | OTHERS


def to_dict(method: Method) -> dict[str, Any]:
    """A method as JSON data: its name and every knob, nested methods as dictionaries."""
    find(type(method).__name__)
    values = {k.name: getattr(method, k.name) for k in knobs_of(method)}
    return {"method": type(method).__name__} | {
        name: to_dict(value) if isinstance(value, Method) else value for name, value in values.items()
    }


def from_dict(data: Any) -> Method:
    """The method that `to_dict` wrote; ValueError in one sentence on an unknown name, knob or value."""
    if not isinstance(data, dict) or not isinstance(data.get("method"), str):
        raise ValueError(f'{data!r} is not a method; write it as {{"method": "TSBD", ...}}.')
    cls = find(data["method"])
    knobs = {k.name: k for k in knobs_of(cls)}
    values = {name: value for name, value in data.items() if name != "method"}
    for name in values:
        if name not in knobs:
            raise ValueError(f"{cls.__name__} has no knob {name!r}; it has {_listed(list(knobs))}.")
    return cls(**{name: _value(knobs[name], value) for name, value in values.items()})


def find(name: str) -> type[Method]:
    """The registered method of this name; ValueError where there is none."""
    if name not in registry():
        raise ValueError(f"{name!r} is not a registered method; `perturb list` prints those that are.")
    return registry()[name]


def parse(k: Knob, text: str, owner: str = "") -> Any:
    """The value of a knob written as text, as in a link; ValueError naming the knob where it is none."""
    name = f"{owner}.{k.name}" if owner else k.name
    if k.kind is bool:
        words = {"true": True, "false": False, "1": True, "0": False}
        if text.lower() not in words:
            raise ValueError(f"{name} = {text!r} must be true or false.")
        return words[text.lower()]
    if k.kind in (int, float):
        try:
            number = k.kind(text)
        except ValueError:
            raise ValueError(f"{name} = {text!r} must be a {'whole ' * (k.kind is int)}number.") from None
        if k.kind is float and not math.isfinite(number):
            raise ValueError(f"{name} = {text!r} must be a finite number.")
        return number
    return text


def _value(k: Knob, value: Any) -> Any:
    if k.kind is Method and value is not None:
        return from_dict(value)
    if k.kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1000 else math.inf  # beyond any float: the knob's range refuses it
    return value


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
