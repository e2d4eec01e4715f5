"""What a recipe may be given beside its method. Each kind of experiment names the inputs that it reads.

Values are plain JSON, checked when a recipe is made, since links are edited by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.data.modes import MODES
from core.knobs import Method
from core.triggers import TRIGGERS
from lab import methods
from lab.settings import settings

UPLOAD = re.compile(r"upload:[0-9a-f]{64}")


def _same(text: str) -> Any:
    return text


@dataclass(frozen=True)
class Input:
    """One input of a recipe.

    name : in the recipe's JSON and in a link
    check : a JSON value in its one written form; ValueError names the input where it is wrong
    parse : the JSON value that a link writes as this text; ValueError where it is none
    text : the text that stands for a JSON value in a link; None where a flat link cannot hold it
    model : whether it names a model, or a list of them, on whose weights the result then depends
    """

    name: str
    check: Callable[[Any], Any]
    parse: Callable[[str], Any] = _same
    text: Callable[[Any], str] | None = str
    model: bool = False


def taking(*inputs: Input) -> Mapping[str, Input]:
    """Inputs by name, as `Kind.inputs` holds them."""
    return {each.name: each for each in inputs}


def checked(known: Mapping[str, Input], given: Any, kind: str) -> dict[str, Any]:
    """`given` in the order of `known` and without None; ValueError in one sentence on what the kind does not read."""
    if not isinstance(given, dict):
        raise ValueError(f"inputs = {given!r} must be a JSON object.")
    for name in given:
        if name not in known:
            raise ValueError(f"A {kind} reads no input {name!r}; it reads {', '.join(known) or 'none'}.")
    return {name: each.check(given[name]) for name, each in known.items() if given.get(name) is not None}


def whole(name: str, low: int, high: int) -> Input:
    """A whole number."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} = {value!r} must be a whole number from {low} to {high}.")
        return value

    def parse(text: str) -> int:
        return _whole(name, text)

    return Input(name, check, parse)


def method(name: str, members: Sequence[type[Method]], what: str = "") -> Input:
    """A method of a registry, as JSON, `what` in words if not `name`; a flat link cannot hold it."""

    def check(value: Any) -> dict[str, Any]:
        found = methods.from_dict(value)
        if type(found) not in members:
            raise ValueError(
                f"{name} = {type(found).__name__} is not a {what or name}; `perturb list` prints those that are."
            )
        return methods.to_dict(found)

    return Input(name, check, text=None)


def model(name: str) -> Input:
    """A model's name."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError(f'{name} = {value!r} must be the name of a model, such as "zoo:scenes-clean".')
        return value

    return Input(name, check, model=True)


def models(name: str, most: int) -> Input:
    """Names of at most so many models."""
    one = model(name)

    def check(value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"{name} = {value!r} must be a list of at most {most} names of models.")
        return [one.check(each) for each in value]

    return Input(name, check, lambda text: text.split(","), ",".join, model=True)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} = {text!r} in the link must be a whole number.") from None


def _images(value: Any) -> str | list[int]:
    if isinstance(value, str) and UPLOAD.fullmatch(value):
        return value
    if not isinstance(value, list) or not 1 <= len(value) <= settings.max_batch:
        raise ValueError(
            f"images = {value!r} must be 1 to {settings.max_batch} indices of test images, or upload:<sha256>."
        )
    index = whole("images", 0, 10_000_000)
    return [index.check(each) for each in value]


def _images_of(text: str) -> str | list[int]:
    return text if text.startswith("upload:") else [_whole("images", each) for each in text.split(",")]


def _images_text(value: str | list[int]) -> str:
    return value if isinstance(value, str) else ",".join(map(str, value))


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"rate = {value!r} must be a number between 0 and 1.")
    return float(value)


def _rate_of(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"rate = {text!r} in the link must be a number.") from None


def _mode(value: Any) -> str:
    if value not in MODES:
        raise ValueError(f"mode = {value!r} is not one of {', '.join(MODES)}.")
    return value


def _split(value: Any) -> str:
    if value not in SPLITS:
        raise ValueError(f"split = {value!r} is not one of {', '.join(SPLITS)}.")
    return value


IMAGES = Input("images", _images, _images_of, _images_text)
"""Indices in the test split, or "upload:<sha256>"."""

N = whole("n", 1, settings.max_scored)
"""How many test images are scored."""

MOMENTS = whole("moments", 1, 10_000_000)
"""After how many moments of its own a run is stopped, as `lab.running.curve` counts them: what it leaves is its model
as it was then. Only what a stopped run has left is named so."""

TARGET = whole("target", 0, 99_999)
"""The class that a trigger or an attack leads to."""

MODE = Input("mode", _mode)
"""The mode of the backdoor."""

SPLITS = ("test", "train")

SPLIT = Input("split", _split)
"""Which images are measured on."""

TRIGGER = method("trigger", TRIGGERS)
"""The trigger that a model is tried with, in place of its own."""

RATE = Input("rate", _rate, _rate_of)
"""Share of poison among a detector's suspects from a training set."""

SEED = whole("seed", 0, 2**31 - 1)
"""Not an input, but a part of every recipe that is written alike."""

BACKDOOR = (TARGET, MODE, TRIGGER)
"""Trigger, target and mode; each defaults to the model's own."""
