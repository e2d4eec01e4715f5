"""Beside Start: a run that is slower than live says about how long it takes."""

from __future__ import annotations

import pytest

from lab.recipes import Recipe
from lab.running import estimate
from lab.running.estimate import Estimate
from lab.running.pass_time import NotMeasured
from tests.ui.conftest import fine
from ui.widgets.expected import in_words


@pytest.mark.parametrize("seconds", [20.0, 400.0])
def test_only_a_long_run_says_so(visit, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(estimate, "estimate", lambda recipe, wait: Estimate(seconds, ("An earlier run took 9 s.",)))
    app = fine(visit("defend.py"))
    told = [caption for caption in app.caption if "Takes about" in caption.value]
    assert len(told) == (1 if seconds > 60 else 0)
    assert all("Takes about 7 min here." in caption.value and "An earlier run" in caption.help for caption in told)


def test_a_rough_time_in_words() -> None:
    assert [in_words(s) for s in (61, 89, 400, 5400, 9000)] == ["60 s", "90 s", "7 min", "1.5 h", "2.5 h"]


def test_it_is_asked_once_a_minute_and_again_where_a_job_was_in_the_way(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def busy_at_first(recipe: Recipe, wait: bool) -> Estimate:
        asked.append(wait)
        if len(asked) == 1:
            raise NotMeasured("not yet")
        return Estimate(400.0, ("An earlier run took 9 s.",))

    monkeypatch.setattr(estimate, "estimate", busy_at_first)
    app = fine(visit("defend.py"))
    assert not [caption for caption in app.caption if "Takes about" in caption.value]
    for _ in range(3):
        app = fine(app.run())
        assert [caption for caption in app.caption if "Takes about" in caption.value]
    assert asked == [False, False]
