"""Knobs: one declaration, checked when a method is made."""

from dataclasses import dataclass

import pytest

from core.knobs import Knob, Method, knob, knobs_of


@dataclass(frozen=True)
class Inner(Method):
    size: int = knob(3, low=1, high=9, paper=5)


@dataclass(frozen=True)
class Outer(Method):
    """A method with one knob of every kind."""

    rate: float = knob(0.5, low=0.0, high=1.0, step=0.1, symbol="r", help="a rate", paper=0.1)
    word: str = knob("a", choices=("a", "b"))
    flag: bool = knob(True)
    inner: Method | None = knob(Inner(), help="a part")


def test_declarations_are_read_back_in_order() -> None:
    rate, word, flag, inner = knobs_of(Outer)
    assert rate == Knob("rate", float, 0.5, 0.0, 1.0, 0.1, None, "r", "a rate", 0.1, False)
    assert (word.kind, flag.kind, inner.kind) == (str, bool, Method)
    assert knobs_of(Outer(rate=0.2)) == knobs_of(Outer)


def test_paper_sets_what_the_paper_says_and_nothing_else() -> None:
    assert Outer.paper() == Outer(rate=0.1)
    assert Inner.paper().size == 5


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rate": 1.5}, r"Outer.rate = 1.5 is out of range; it must be in \[0, 1\]"),
        ({"rate": float("nan")}, "rate = nan"),
        ({"rate": "much"}, "must be a number"),
        ({"rate": True}, "must be a number"),
        ({"word": "c"}, "not one of a, b"),
        ({"flag": 1}, "true or false"),
        ({"inner": 3}, "not a method"),
    ],
)
def test_a_value_out_of_range_is_named(values: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Outer(**values)


def test_whole_numbers_stay_whole() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Inner(size=2.5)  # type: ignore[arg-type]


def test_methods_are_hashable_and_compare_by_value() -> None:
    assert {Outer(), Outer()} == {Outer()}
    assert Outer(inner=None) != Outer()
