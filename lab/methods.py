"""Every registered method by name, and methods as plain data.

`{"method": "TSBD", "neuron_ratio": 0.05}` is a method as JSON; a knob that holds another method holds such a
dictionary in turn. Only registered names are accepted, so that a link can build nothing else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from core import method_json
from core.data import Scenes
from core.explain import Consistency
from core.knobs import Knob, Method
from core.training import PARTS
from core.triggers import Poison
from lab.kinds import kinds

OTHERS: dict[str, list[type[Method]]] = {"part": [Poison, Consistency, *PARTS], "data": [Scenes]}
"""Methods that stand in a recipe without being an experiment: parts of a training, and generated data."""


@functools.cache
def registry() -> Mapping[str, type[Method]]:
    """Every registered method by its name."""
    return {cls.__name__: cls for members in groups().values() for cls in members}


def groups() -> dict[str, list[type[Method]]]:
    """The methods by the name of their kind, then OTHERS."""
    return {kind.name: list(kind.methods) for kind in kinds().values()} | OTHERS


def to_dict(method: Method) -> dict[str, Any]:
    """A registered method as JSON data: its name and every knob, nested methods as dictionaries."""
    find(type(method).__name__)
    return method_json.to_dict(method)


def from_dict(data: Any) -> Method:
    """The method that `to_dict` wrote; ValueError in one sentence on an unknown name, knob or value."""
    return method_json.from_dict(data, find)


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
