"""Controls drawn from a method's knobs: one declaration, in `core`, gives slider, help, link and range."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.errors import plain

if TYPE_CHECKING:
    from core.knobs import Knob, Method

SLIDER_STOPS = 400
"""A range with more steps than this is a number field: a slider could not be aimed."""

LETTERS = 18
"""Choices with more letters in all than this do not fit side by side into a column of controls: they are a list."""


def controls(
    cls: type[Method], *, base: Method | None = None, folded: Any = None, without: Collection[str] = ()
) -> Method:
    """Draw a method's controls where the script stands and return the method as they are set.

    Primary knobs stand in the open, the rest in a folded block, in the container `folded` where one is given. `base`
    gives the values the controls start from, in place of the lab's defaults; knobs `without` a control keep them.
    Every control is part of the link, as `<method>-<knob>`.
    """
    from core.knobs import Method as AnyMethod
    from core.knobs import knobs_of

    drawn = [k for k in knobs_of(cls) if k.kind is not AnyMethod and k.name not in without]
    start = {k.name: getattr(base, k.name) if type(base) is cls else k.default for k in knobs_of(cls)}
    bad = _invalid(cls, drawn)
    values = {k.name: control(cls, k, start[k.name]) for k in drawn if k.primary}
    rest = [k for k in drawn if not k.primary]
    if rest:
        place = st.container() if folded is None else folded
        with place, st.expander("More settings" if values else "Settings", icon=":material/tune:"):
            for k in rest:
                values[k.name] = control(cls, k, start[k.name])
    for sentence in bad:
        st.warning(plain(ValueError(sentence)), icon=":material/link_off:")
    return cls(**{**start, **values})


def control(cls: type[Method], k: Knob, start: Any) -> Any:
    """One knob's widget and its value: switch, choice, slider, number or text."""
    shared: dict[str, Any] = {
        "key": key_of(cls, k), "help": help_of(k), "bind": "query-params", "persist_state": "session",
    }  # fmt: skip
    label = label_of(k)
    if k.kind is bool:
        return st.toggle(label, start, **shared)
    if k.choices is not None:
        if len(k.choices) <= 3 and sum(map(len, k.choices)) <= LETTERS:
            return st.segmented_control(label, k.choices, default=start, required=True, **shared)
        return st.selectbox(label, k.choices, index=k.choices.index(start), **shared)
    if k.kind is str:
        return st.text_input(label, start, **shared)
    if k.low is not None and k.high is not None and k.step and (k.high - k.low) / k.step <= SLIDER_STOPS:
        return _slider(label, k, start, shared)
    return _number(label, k, start, shared)


def _slider(label: str, k: Knob, start: Any, shared: dict[str, Any]) -> Any:
    if k.kind is int:
        return st.slider(label, int(k.low or 0), int(k.high or 0), int(start), int(k.step or 1), **shared)
    low, high, step = float(k.low or 0), float(k.high or 0), float(k.step or 0.01)
    # A float that is a multiple of 1/255 has no short decimal: a slider would move it, so its link keeps all digits.
    return float(st.slider(label, low, high, float(start), step, format=f"%.{_decimals(step)}f", **shared))


def _number(label: str, k: Knob, start: Any, shared: dict[str, Any]) -> Any:
    if k.kind is int:
        low, high = (None if end is None else int(end) for end in (k.low, k.high))
        return int(st.number_input(label, low, high, int(start), int(k.step or 1), **shared))
    low_, high_ = (None if end is None else float(end) for end in (k.low, k.high))
    step = float(k.step or 10 ** math.floor(math.log10(abs(start) or 1e-3)))
    return float(st.number_input(label, low_, high_, float(start), step, format="%.6g", **shared))


def _decimals(step: float) -> int:
    return next((n for n in range(1, 4) if abs(step * 10**n - round(step * 10**n)) < 1e-9), 3)


def key_of(cls: type[Method], k: Knob) -> str:
    """The widget's key and the link's parameter: `tsbd-neuron_ratio`."""
    return f"{cls.__name__.lower()}-{k.name}"


def label_of(k: Knob) -> str:
    """ "Neuron ratio n": the knob's name in words and the paper's symbol."""
    words = " ".join("learning rate" if word == "lr" else word for word in k.name.split("_"))
    words = words[:1].upper() + words[1:]
    return words if not k.symbol or k.symbol == k.name else f"{words} ({k.symbol})"


def help_of(k: Knob) -> str:
    """The tooltip: what the knob does, its range, the lab's and the paper's value."""
    parts = [k.help[:1].upper() + k.help[1:] + "."] if k.help else []
    if k.low is not None and k.high is not None:
        parts.append(f"From {k.low:g} to {k.high:g}.")
    parts.append(f"The lab's default: {_shown(k.default)}.")
    if k.paper is not None:
        parts.append(f"The paper: {_shown(k.paper)}.")
    return " ".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value) or "empty"


def _invalid(cls: type[Method], drawn: list[Knob]) -> list[str]:
    """A sentence for each value of the link that no control can take; Streamlit drops those without a word."""
    from core.knobs import knobs_of
    from lab.methods import parse

    told: dict[str, str] = st.session_state.setdefault("link-told", {})
    known = {key_of(cls, k) for k in knobs_of(cls)}
    for k in drawn:
        key = key_of(cls, k)
        if key not in st.query_params or key in st.session_state:
            continue
        text = st.query_params[key]
        try:
            cls(**{k.name: parse(k, text, cls.__name__)})
        except ValueError as error:
            told[key] = (
                f"The link says {key} = {text[:40]}, and {_reason(error)}; the default {_shown(k.default)} is used."
            )
    return [told[key] for key in told if key in known]


def _reason(error: ValueError) -> str:
    """The end of a knob's sentence, from "must" on: "it must be in [0, 1]"."""
    text = str(error).rstrip(".")
    return "it must" + text.split("must", 1)[1] if "must" in text else "that is not one of its values"
