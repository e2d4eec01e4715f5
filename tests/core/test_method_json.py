"""Methods as JSON: there and back, and what is refused."""

from __future__ import annotations

import json

import pytest

from core.defenses import DEFENSES
from core.knobs import Method
from core.method_json import from_dict, to_dict
from core.training import Standard
from core.triggers import TRIGGERS, BadNets, Blended, Poison

KNOWN = {cls.__name__: cls for cls in [*DEFENSES, *TRIGGERS, Standard, Poison]}


def find(name: str) -> type[Method]:
    if name not in KNOWN:
        raise ValueError(f"{name!r} is not known.")
    return KNOWN[name]


@pytest.mark.parametrize("method", [cls() for cls in KNOWN.values()], ids=KNOWN)
def test_there_and_back(method: Method) -> None:
    data = json.loads(json.dumps(to_dict(method)))
    assert from_dict(data, find) == method and data["method"] == type(method).__name__


def test_nested_methods_and_whole_numbers() -> None:
    method = Standard(epochs=3, poison=Poison(BadNets(side=5), rate=0.25))
    data = to_dict(method)
    assert data["poison"]["trigger"]["method"] == "BadNets" and from_dict(data, find) == method
    assert from_dict({"method": "Blended", "alpha": 1}, find) == Blended(alpha=1.0)
    assert from_dict({"method": "Standard", "poison": None}, find) == Standard()


@pytest.mark.parametrize(
    "data, said",
    [
        (3, '3 is not a method; write it as {"method": "TSBD", ...}.'),
        ({"side": 3}, "{'side': 3} is not a method; write it as {\"method\": \"TSBD\", ...}."),
        ({"method": ["BadNets"]}, "is not a method"),
        ({"method": "Nonsense"}, "'Nonsense' is not known."),
        ({"method": "BadNets", "size": 3}, "BadNets has no knob 'size'; it has side"),
        ({"method": "BadNets", "side": -5}, "BadNets.side = -5 is out of range"),
        ({"method": "Blended", "alpha": 10**400}, "Blended.alpha = inf is out of range"),
        ({"method": "Standard", "poison": {"method": "Nonsense"}}, "'Nonsense' is not known."),
        ({"method": "Standard", "poison": 3}, "3 is not a method"),
    ],
)
def test_what_is_no_method_is_refused_in_one_sentence(data: object, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_dict(data, find)
    assert said in str(caught.value) and "\n" not in str(caught.value)
