"""Every registered method by name, and methods as plain data.

`{"method": "TSBD", "neuron_ratio": 0.05}` is a method as JSON; a knob that holds another method holds such a
dictionary in turn. Only registered names are accepted, so that a link can build nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.attacks import ATTACKS, REACTIVATIONS, WEIGHT_ATTACKS
from core.data import Scenes
from core.defenses import DEFENSES, DETECTORS
from core.explain import EXPLAINERS
from core.knobs import Knob, Method, knobs_of
from core.metrics.tac import RANKINGS
from core.training import PARTS, TRAININGS
from core.triggers import TRIGGERS, Poison

KINDS: dict[str, Sequence[type[Method]]] = {
    "trigger": TRIGGERS,
    "attack": ATTACKS,
    "injection": WEIGHT_ATTACKS,
    "reactivation": REACTIVATIONS,
    "defense": DEFENSES,
    "detector": DETECTORS,
    "training": TRAININGS,
    "explainer": EXPLAINERS,
    "ranking": RANKINGS,
    "part": [Poison, *PARTS],
    "data": [Scenes],
}
"""The methods of each kind, in the order of their registries."""

REGISTRY: dict[str, type[Method]] = {cls.__name__: cls for kind in KINDS.values() for cls in kind}
"""Every registered method by its name."""


def kind_of(method: Method | type[Method]) -> str:
    """The method's kind, one of KINDS: "trigger", "attack", "defense" …"""
    cls = method if isinstance(method, type) else type(method)
    for kind, members in KINDS.items():
        if cls in members:
            return kind
    raise ValueError(f"{cls.__name__} is not a registered method; `perturb list` prints those that are.")


def to_dict(method: Method) -> dict[str, Any]:
    """A method as JSON data: its name and every knob, nested methods as dictionaries."""
    kind_of(method)
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
    if name not in REGISTRY:
        raise ValueError(f"{name!r} is not a registered method; `perturb list` prints those that are.")
    return REGISTRY[name]


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
