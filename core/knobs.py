"""A method's parameters, declared once.

A method is a frozen dataclass whose fields are made by `knob`. From that one declaration come
the validation here, the controls of the pages, permalinks, JSON, cache keys and sweep grids.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any, Self, get_type_hints


def knob(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] | None = None,
    symbol: str = "",
    help: str = "",
    paper: Any = None,
    primary: bool = False,
) -> Any:
    """Declare one parameter of a method.

    Parameters
    ----------
    default : the lab's value: a number, a bool, one of `choices`, another method, or None
    low, high : the range, both ends included
    step : how far one move of a slider goes
    choices : the allowed words of a str knob
    symbol : the paper's symbol
    help : one line for a tooltip
    paper : the paper's value, where it differs from the default
    primary : whether a page shows its control in the open, not among the further settings
    """
    about = dict(
        low=low, high=high, step=step, choices=choices, symbol=symbol, help=help, paper=paper, primary=primary
    )
    return dataclasses.field(default=default, metadata={"knob": about})


@dataclass(frozen=True)
class Knob:
    """What `knob` declared, with the field's name, type and default filled in."""

    name: str
    kind: type
    default: Any
    low: float | None
    high: float | None
    step: float | None
    choices: tuple[str, ...] | None
    symbol: str
    help: str
    paper: Any
    primary: bool


def knobs_of(method: type | Method) -> list[Knob]:
    """The knobs of a method (class or instance), in the order of declaration.

    `kind` is int, float, bool, str, or `Method` for a knob that holds another method.
    """
    return list(_knobs(method if isinstance(method, type) else type(method)))


@functools.cache
def _knobs(cls: type) -> tuple[Knob, ...]:
    """The knobs of a class, read once: a page asks for them a hundred times."""
    hints = get_type_hints(cls)
    return tuple(
        Knob(field.name, _kind(hints[field.name]), field.default, **field.metadata["knob"])
        for field in dataclasses.fields(cls)
        if "knob" in field.metadata
    )


def _kind(hint: Any) -> type:
    plain = [kind for kind in (bool, int, float, str) if hint is kind]
    return plain[0] if plain else Method


class Method:
    """Base of every method: values are checked when it is made, `paper()` gives the paper's setting."""

    def __post_init__(self) -> None:
        for each in knobs_of(self):
            _check(type(self).__name__, each, getattr(self, each.name))

    @classmethod
    def paper(cls) -> Self:
        """The method with every knob at the paper's value (the lab's default where they agree)."""
        return cls(**{k.name: k.paper for k in knobs_of(cls) if k.paper is not None})


def _check(owner: str, k: Knob, value: Any) -> None:
    """Raise ValueError naming the knob, its value and its range unless `value` is allowed."""
    name = f"{owner}.{k.name} = {value!r}"
    if k.kind is Method:
        if value is not None and not isinstance(value, Method):
            raise ValueError(f"{name} is not a method; give one such as {k.default!r}.")
        return
    if k.choices is not None:
        if value not in k.choices:
            raise ValueError(f"{name} is not one of {', '.join(k.choices)}.")
        return
    if k.kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false.")
        return
    if k.kind is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{name} must be a whole number{_range(k)}.")
    if k.kind is float and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{name} must be a number{_range(k)}.")
    if k.kind in (int, float):
        below = k.low is not None and value < k.low
        above = k.high is not None and value > k.high
        if below or above or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"{name} is out of range; it must be{_range(k)}.")


def _range(k: Knob) -> str:
    low = "-inf" if k.low is None else f"{k.low:g}"
    high = "inf" if k.high is None else f"{k.high:g}"
    return f" in [{low}, {high}]"
