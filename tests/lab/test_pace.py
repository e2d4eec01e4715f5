"""One bar for a whole run: it follows the stages of an earlier run, never falls, and says when it only guesses."""

from __future__ import annotations

from typing import Any

import pytest

from core.defenses import CLP, FineTuning
from core.runs import Progress
from lab.recipes import Recipe
from lab.results import Result, kept
from lab.running.pace import Pace, Paces, Stage, own_stages


def points(*stages: tuple[str, int, float]) -> list[dict[str, Any]]:
    """The first and the last moment of each stage: name, steps, seconds since the start at its end."""
    made, last = [], 0.0
    for name, steps, end in stages:
        first = last + (end - last) / steps
        made += [{"stage": name, "step": step, "total": steps, "seconds": seconds}
                 for step, seconds in dict([(1, first), (steps, end)]).items()]  # fmt: skip
        last = end
    return made


def shares(pace: Pace, *stages: tuple[str, int]) -> list[float]:
    """The bar after every step of these stages."""
    found = []
    for name, steps in stages:
        for step in range(1, steps + 1):
            pace.note(Progress(name, step, steps))
            found.append(pace.share)
    return found


def test_the_stages_of_a_run_are_read_from_its_curve() -> None:
    told = points(("load", 2, 0.5), ("before", 2, 1.5), ("tune", 10, 9.5), ("after", 2, 10.0))
    assert own_stages(told) == [Stage("before", 2, 1.0), Stage("tune", 10, 8.0), Stage("after", 2, 0.5)]


def test_a_stage_that_comes_again_is_a_stage_of_its_own() -> None:
    told = points(("tune", 4, 4.0), ("tune", 4, 6.0))
    assert own_stages(told) == [Stage("tune", 4, 4.0), Stage("tune", 4, 2.0)]


def test_the_bar_follows_the_time_of_an_earlier_run() -> None:
    pace = Pace([Stage("before", 2, 1.0), Stage("tune", 10, 8.0), Stage("after", 2, 1.0)])
    found = shares(pace, ("before", 2), ("tune", 10), ("after", 2))
    assert found[1] == pytest.approx(0.1) and found[6] == pytest.approx(0.5) and found[11] == pytest.approx(0.9)
    assert found == sorted(found) and found[-1] < 1 and pace.known
    assert pace.left(99.0) == pytest.approx(1.0, abs=0.2)


def test_more_steps_than_before_are_allowed_for() -> None:
    pace = Pace([Stage("before", 2, 1.0), Stage("tune", 10, 8.0), Stage("after", 2, 1.0)])
    found = shares(pace, ("before", 2), ("tune", 1000), ("after", 2))
    assert found[1] == pytest.approx(0.1)
    assert found[501] == pytest.approx(401 / 802, abs=0.01) and found == sorted(found)


@pytest.mark.parametrize(
    "ran", [[("after", 2)], [("probe", 9), ("tune", 10), ("after", 2)], [("tune", 10), ("tune", 10), ("more", 3)]]
)
def test_it_never_falls_and_never_ends_early_whatever_comes(ran: list[tuple[str, int]]) -> None:
    known = [Stage("before", 2, 1.0), Stage("tune", 10, 8.0), Stage("after", 2, 1.0)]
    for pace in (Pace(known), Pace()):
        found = shares(pace, *ran)
        assert found == sorted(found) and found[0] >= 0 and found[-1] < 1


def test_without_an_earlier_run_each_stage_takes_half_of_what_is_left() -> None:
    pace = Pace()
    found = shares(pace, ("a", 2), ("b", 2), ("c", 2))
    assert found[1::2] == [0.5, 0.75, 0.875] and not pace.known and pace.left(9.0) is None
    found = shares(Pace(), ("load", 2), ("before", 2), ("a", 2))
    assert found[3] < 0.1 and found[5] > 0.5, "loading and scoring take little of it"


def test_a_chain_is_as_long_as_the_runs_that_are_still_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Recipe(FineTuning(steps=3), "zoo:scenes-badnets", "scenes", {"n": 7}, seed=123)
    chain = Recipe(CLP(), base, "scenes", {"n": 7})
    monkeypatch.setattr(Recipe, "key", lambda self: f"test {type(self.method).__name__}")
    paces = Paces()
    paces.learn(base, points(("load", 2, 0.1), ("tune", 10, 6.1)))
    assert not paces.of(chain).known  # of CLP nothing is known yet
    paces.learn(chain, points(("load", 2, 0.1), ("tune", 10, 6.2), ("load", 2, 6.3), ("prune", 4, 8.3)))
    assert shares(paces.of(chain), ("tune", 10))[-1] == pytest.approx(0.75)
    kept.put("test FineTuning", Result(base))
    try:
        assert shares(paces.of(chain), ("prune", 2))[0] == pytest.approx(0.5)
    finally:
        kept._held.pop("test FineTuning")


def test_a_finished_run_is_learned() -> None:
    from core.runs import finish
    from lab.running import pace

    recipe = Recipe(FineTuning(steps=3), "zoo:scenes-badnets", "scenes", {"n": 10})
    finish(recipe.run())
    assert {"before", "tune", "after"} <= {stage.name for stage in pace.paces._known["FineTuning"]}
