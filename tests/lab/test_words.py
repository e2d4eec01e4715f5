"""Figures in sentences: few pictures are counted, many are told in percent."""

from __future__ import annotations

import pytest

from lab.kinds.shared.words import moved, of_all, share


@pytest.mark.parametrize(
    ("value", "n", "told"),
    [(0.75, 4, "3 of 4"), (1.0, 19, "19 of 19"), (0.75, 20, "75.0 %"), (0.934, 500, "93.4 %"), (0.5, None, "50.0 %")],
)
def test_fewer_than_twenty_are_counted(value: float, n: int | None, told: str) -> None:
    assert share(value, n) == told


def test_all_of_them_are_named() -> None:
    assert of_all(1.0, 4) == "4 of 4 pictures"
    assert of_all(0.5, 200, "suspects") == "50.0 % of 200 suspects"


def test_a_change_is_told_over_the_same_images() -> None:
    assert moved("accuracy", 0.972, 0.957) == "accuracy fell from 97.2 % to 95.7 %"
    assert moved("accuracy", 0.5, 0.75, 4) == "accuracy rose from 2 of 4 to 3 of 4"
    assert moved("accuracy", 0.9721, 0.9719, 1000) == "accuracy stayed at 97.2 %"
