"""The pool: sharing, limits, places, Stop within one step, failures, leaving."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from core.runs import Run
from lab.lru_cache import LRUCache
from lab.results import Result
from lab.running.compute_lock import ComputeLock
from lab.running.curve import Curve
from lab.running.pool import Busy, JobPool
from lab.settings import Settings
from tests.support.fakes import Clock, FakeRecipe

until = Clock.until


@pytest.fixture
def pool() -> Iterator[JobPool]:
    limits = Settings(queue_length=3)
    pool = JobPool(limits, ComputeLock(), LRUCache(4, 60.0))
    yield pool
    pool.shutdown()


def test_a_job_runs_to_its_result(pool: JobPool) -> None:
    job = pool.submit(FakeRecipe("a"), "ada")
    until(lambda: job.ended)
    assert job.state == "done" and job.error == "" and job.place == 0
    assert [point["step"] for point in job.curve] == [1, 2, 3]
    assert job.result is not None and job.result.recipe.name == "a"


def test_the_same_recipe_is_one_job_while_it_runs_and_one_result_after(pool: JobPool) -> None:
    first, second = FakeRecipe("a", held=True), FakeRecipe("a")
    job = pool.submit(first, "ada")
    assert pool.submit(second, "bob") is job
    first.more(3)
    until(lambda: job.ended)
    third = pool.submit(FakeRecipe("a"), "cyd")
    assert third.state == "done" and third.result is job.result and second.log == []
    assert pool.result(FakeRecipe("a")) is job.result


def test_thirty_visitors_compute_once(pool: JobPool) -> None:
    recipes = [FakeRecipe("same", held=True) for _ in range(30)]
    jobs = {id(pool.submit(recipe, f"student {i}")) for i, recipe in enumerate(recipes)}
    assert len(jobs) == 1
    recipes[0].more(3)
    until(lambda: recipes[0].log[-1:] == ["closed"])
    assert sum(len(recipe.log) > 0 for recipe in recipes) == 1


def test_places_in_the_queue_move_up(pool: JobPool) -> None:
    running = FakeRecipe("a", held=True)
    first = pool.submit(running, "ada")
    until(lambda: first.state == "running")
    second, third = pool.submit(FakeRecipe("b"), "bob"), pool.submit(FakeRecipe("c"), "cyd")
    assert (first.place, second.place, third.place) == (0, 1, 2)
    second.stop("bob")
    assert (second.state, third.place) == ("stopped", 1)
    running.more(3)
    until(lambda: third.ended)
    assert third.state == "done"


def test_stop_takes_effect_within_one_step_and_closes_the_run(pool: JobPool) -> None:
    recipe = FakeRecipe("a", steps=100, held=True)
    job = pool.submit(recipe, "ada")
    recipe.more(2)
    until(lambda: recipe.log[-1:] == [2])
    job.stop("ada")
    recipe.more()  # the step that was under way
    until(lambda: job.ended)
    assert job.state == "stopped" and recipe.log == ["start", 1, 2, 3, "closed"]
    assert job.result is not None and job.result.stopped and job.result.figures["after/acc"] == 0.3
    assert pool.result(recipe) is None  # a stopped run is not kept


def test_a_shared_job_goes_on_until_its_last_watcher_leaves(pool: JobPool) -> None:
    recipe = FakeRecipe("a", steps=100, held=True)
    job = pool.submit(recipe, "ada")
    pool.submit(recipe, "bob")
    job.stop("ada")
    recipe.more(2)
    until(lambda: recipe.log[-1:] == [2])
    assert job.state == "running"
    job.stop("bob")
    recipe.more()
    until(lambda: job.ended)
    assert job.state == "stopped"


def test_a_visitor_holds_one_running_and_one_waiting_job(pool: JobPool) -> None:
    recipe = FakeRecipe("a", held=True)
    pool.submit(recipe, "ada")
    pool.submit(FakeRecipe("b"), "ada")
    with pytest.raises(Busy, match="already have 2 runs"):
        pool.submit(FakeRecipe("c"), "ada")
    assert pool.submit(recipe, "ada").recipe is recipe  # watching one's own job again is no new job
    assert len(pool.jobs_of("ada")) == 2 and pool.jobs_of("bob") == []
    recipe.more(3)


def test_the_queue_is_bounded(pool: JobPool) -> None:
    recipe = FakeRecipe("a", held=True)
    job = pool.submit(recipe, "ada")
    until(lambda: job.state == "running")
    for i in range(3):
        pool.submit(FakeRecipe(f"waiting {i}"), f"visitor {i}")
    with pytest.raises(Busy, match="waiting already"):
        pool.submit(FakeRecipe("one too many"), "zoe")
    recipe.more(3)


def test_a_second_worker_leaves_a_visitor_at_one_running_job() -> None:
    pool = JobPool(Settings(workers=2), ComputeLock(), LRUCache(4, 60.0))
    first, second, other = (FakeRecipe(name, held=True) for name in "abc")
    one, two = pool.submit(first, "ada"), pool.submit(second, "ada")
    three = pool.submit(other, "bob")
    until(lambda: (one.state, three.state) == ("running", "running"))
    assert two.state == "queued" and second.log == []  # a worker was free, and went past ada's second job
    first.more(3)
    other.more(3)
    until(lambda: one.ended and two.state == "running")
    second.more(3)
    until(lambda: two.ended and three.ended)
    assert [job.state for job in (one, two, three)] == ["done"] * 3
    pool.shutdown()


def test_a_failure_ends_in_one_sentence_and_the_pool_lives_on(pool: JobPool, caplog: pytest.LogCaptureFixture) -> None:
    told = pool.submit(FakeRecipe("a", error=ValueError("The picture is too wide; give a smaller one.")), "ada")
    until(lambda: told.ended)
    assert (told.state, told.error) == ("failed", "The picture is too wide; give a smaller one.")
    crash = pool.submit(FakeRecipe("b", error=KeyError("layer9")), "ada")
    until(lambda: crash.ended)
    assert crash.state == "failed" and "unexpected KeyError" in crash.error and "layer9" not in crash.error
    assert "layer9" in caplog.text  # the log has what the visitor is spared
    memory = pool.submit(FakeRecipe("c", error=MemoryError()), "ada")
    until(lambda: memory.ended)
    assert "memory" in memory.error
    after = pool.submit(FakeRecipe("d"), "ada")
    until(lambda: after.ended)
    assert after.state == "done"


def test_a_job_that_nobody_looks_at_is_closed() -> None:
    pool = JobPool(Settings(abandon_after=0.05), ComputeLock(), LRUCache(4, 60.0))
    recipe, waiting = FakeRecipe("a", steps=10**6), FakeRecipe("b")
    job, behind = pool.submit(recipe, "ada"), pool.submit(waiting, "bob")
    until(lambda: job.ended and behind.ended)
    assert job.state == behind.state == "stopped"
    assert recipe.log[-1] == "closed" and waiting.log == []
    pool.shutdown()


@pytest.mark.parametrize("looked_at", [True, False], ids=["looked at", "forgotten"])
def test_a_sign_of_life_keeps_a_job_going(looked_at: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("lab.running.pool.time", clock)
    monkeypatch.setattr("lab.running.job.time", clock)
    pool = JobPool(Settings(abandon_after=10.0), ComputeLock(), LRUCache(4, 60.0))
    recipe = FakeRecipe("a", steps=4, held=True)
    job = pool.submit(recipe, "ada")
    until(lambda: job.state == "running")
    for step in range(1, 4):
        now[0] += 6.0
        if looked_at:
            job.seen("ada")
        recipe.more()
        until(lambda step=step: recipe.log[-1:] == [step] or job.ended)
    recipe.more()
    until(lambda: job.ended)
    assert job.state == ("done" if looked_at else "stopped")
    pool.shutdown()


def test_shutdown_closes_what_runs_and_refuses_more(pool: JobPool) -> None:
    recipe = FakeRecipe("a", steps=10**6)
    job, behind = pool.submit(recipe, "ada"), pool.submit(FakeRecipe("b"), "bob")
    until(lambda: job.progress is not None)
    pool.shutdown()
    assert job.state == behind.state == "stopped" and recipe.log[-1] == "closed"
    with pytest.raises(Busy, match="shutting down"):
        pool.submit(FakeRecipe("c"), "cyd")


def test_time_left_follows_the_rate_of_the_stage(pool: JobPool) -> None:
    recipe = FakeRecipe("a", steps=10, held=True)
    job = pool.submit(recipe, "ada")
    assert job.seconds_left == (None, False)
    recipe.more(2)
    until(lambda: recipe.log[-1:] == [2] and job.progress is not None and job.progress.step == 2)
    left, whole = job.seconds_left
    assert left is not None and left >= 0 and job.seconds >= 0 and not whole
    assert job.share == 0.1  # nothing is known of this method: its first stage gets half of the bar
    recipe.more(8)
    until(lambda: job.ended)
    assert job.seconds_left == (None, False)


def test_finished_runs_are_reported_and_a_broken_history_harms_nothing() -> None:
    seen = []

    def report(result: object) -> None:
        seen.append(result)
        raise OSError("disk full")

    pool = JobPool(Settings(), ComputeLock(), LRUCache(4, 60.0), finished=report)
    jobs = [pool.submit(FakeRecipe(name), "ada") for name in "ab"]
    until(lambda: len(seen) == 2)
    assert [job.state for job in jobs] == ["done", "done"]
    pool.shutdown()


def test_a_step_takes_the_cores_that_the_lab_may_use_and_gives_them_back() -> None:
    seen: list[int] = []

    class Counting(FakeRecipe):
        def run(self, curve: Curve | None = None) -> Run[Result]:
            seen.append(torch.get_num_threads())
            return (yield from super().run(curve))

    before, pool = torch.get_num_threads(), JobPool(Settings(threads=3), ComputeLock(), LRUCache(4, 60.0))
    job = pool.submit(Counting("cores"), "ada")
    until(lambda: job.ended)
    pool.shutdown()
    assert seen == [3] and torch.get_num_threads() == before
