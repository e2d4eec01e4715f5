"""About how long a run takes, before it is started: from earlier runs, and from one measured pass of each model."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import models
from core.defenses import CLP, SAU, FineTuning
from lab import loading, run_log
from lab.recipes import Recipe
from lab.results import Result, kept
from lab.running import estimate, pass_time
from lab.running.compute_lock import compute_lock
from lab.running.pool import pool

SLOW, QUICK = "zoo:scenes-badnets", "zoo:scenes-clean"
PASS = {SLOW: 0.04, QUICK: 0.01}


def row(method: Any, model: Any, seconds: float, device: str, **inputs: Any) -> dict[str, Any]:
    recipe = Recipe(method, model, "scenes", inputs).to_dict()
    return {"method": type(method).__name__, "recipe": recipe, "seconds": seconds, "device": device}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The earlier runs, to be filled; a pass takes what PASS says on one core, half of it on all of them."""
    rows: list[dict[str, Any]] = []
    monkeypatch.setattr(run_log, "stored", lambda: list(rows))
    monkeypatch.setattr(run_log, "version", lambda: (len(rows), id(rows)))
    took = lambda ref, threads, wait: PASS[ref] / (1 if threads == 1 else 2)  # noqa: E731
    monkeypatch.setattr(estimate, "seconds_per_picture", took)
    monkeypatch.setattr(pool(), "cores", 2)
    estimate._rows.cache_clear()
    return rows


def test_the_time_of_an_earlier_run_times_how_much_slower_the_model_is(known) -> None:
    known.append(row(FineTuning(), QUICK, 20.0, "cpu, 2 threads"))
    found = estimate.estimate(Recipe(FineTuning(), SLOW))
    assert found is not None and found.seconds == pytest.approx(80.0)
    assert "An earlier run of FineTuning on zoo:scenes-clean took 20 s (cpu, 2 threads)" in found.told[0]
    assert "4.0 times as long here, as measured." in found.told[0]


def test_cores_and_steps_are_allowed_for(known) -> None:
    known.append(row(FineTuning(steps=100), QUICK, 20.0, "cpu, 1 threads"))
    found = estimate.estimate(Recipe(FineTuning(steps=300), QUICK))
    assert found is not None and found.seconds == pytest.approx(30.0) and "3.0 times as many steps" in found.told[0]


def test_the_earlier_run_that_is_most_like_it_tells(known) -> None:
    known += [
        row(FineTuning(), QUICK, 90.0, "cpu, 1 threads"),
        row(FineTuning(), QUICK, 60.0, "cpu, 2 threads"),
        row(FineTuning(), QUICK, 50.0, "cpu, 2 threads"),
        row(FineTuning(lr=0.001), QUICK, 10.0, "cpu, 2 threads"),
        row(FineTuning(), QUICK, 5.0, "cuda: NVIDIA H100"),
        row(FineTuning(), Recipe(CLP(), QUICK), 1.0, "cpu, 2 threads"),
    ]
    found = estimate.estimate(Recipe(FineTuning(), SLOW))
    assert found is not None and found.seconds == pytest.approx(200.0)
    known.append(row(FineTuning(lr=0.001), SLOW, 300.0, "cpu, 2 threads"))
    found = estimate.estimate(Recipe(FineTuning(), SLOW))
    assert found is not None and found.seconds == pytest.approx(300.0)  # of the model itself


def test_a_chain_takes_what_its_runs_take_unless_they_are_kept(known) -> None:
    base = Recipe(FineTuning(), SLOW)
    chain = Recipe(CLP(), base)
    known += [row(FineTuning(), SLOW, 40.0, "cpu, 2 threads"), row(CLP(), SLOW, 8.0, "cpu, 2 threads")]
    found = estimate.estimate(chain)
    assert found is not None and found.seconds == pytest.approx(48.0) and len(found.told) == 2
    kept.put(base.key(), Result(base))
    try:
        found = estimate.estimate(chain)
    finally:
        kept.clear()
    assert found is not None and found.seconds == pytest.approx(8.0)


def test_nothing_is_said_where_no_run_tells(known) -> None:
    known.append(row(CLP(), "hf:owner/elsewhere", 8.0, "cpu, 2 threads"))
    assert estimate.estimate(Recipe(SAU(), SLOW)) is None
    assert estimate.estimate(Recipe(CLP(), SLOW)) is None  # the other model would have to be downloaded
    assert estimate.estimate(Recipe(CLP(), Recipe(SAU(), SLOW))) is None


def test_a_pass_is_measured_once_and_leaves_the_model_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    if QUICK not in {card.ref for card in models.available()}:
        pytest.skip("needs the shipped model scenes-clean (make zoo)")
    monkeypatch.setattr(pass_time, "_known", {})
    model, asked = loading.classifier(QUICK), []
    hook = model.register_forward_hook(lambda *_: asked.append(compute_lock._owner is not None))
    try:
        first, again = (pass_time.seconds_per_picture(QUICK, 1) for _ in range(2))
    finally:
        hook.remove()
    assert first == again > 0 and 1 <= len(asked) <= 3 and all(asked)
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())


def test_models_of_one_shape_are_measured_once_and_nobody_waits_who_need_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = {card.ref: card for card in models.available()}
    if not {SLOW, QUICK} <= cards.keys() or cards[SLOW].parameters != cards[QUICK].parameters:
        pytest.skip("needs two shipped models of one shape (make zoo)")
    monkeypatch.setattr(pass_time, "_known", {})
    measured = []
    monkeypatch.setattr(pass_time, "_measured", lambda model, threads: measured.append(model.card.ref) or 0.5)
    refused: list[bool] = []

    def ask() -> None:
        try:
            pass_time.seconds_per_picture(SLOW, 1, wait=False)
        except pass_time.NotMeasured:
            refused.append(True)

    def visitor() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(30)

    with compute_lock:  # a job computes
        visitor()
    assert refused and not measured
    assert pass_time.seconds_per_picture(QUICK, 1) == 0.5
    with compute_lock:
        visitor()
    assert len(refused) == 1 and measured == [QUICK]
