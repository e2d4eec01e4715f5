"""The gate: one at a time, in the order of arrival, and nobody starves."""

from __future__ import annotations

import threading

from lab.gate import Gate
from lab.loading import Shelf
from tests.lab.fakes import Clock


def _arrive(gate: Gate, name: str, log: list[str], waiting: int) -> threading.Thread:
    """A thread that stands before the gate, as number `waiting`, before this returns."""

    def work() -> None:
        with gate.short():
            log.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    Clock.until(lambda: gate.waiting == waiting)
    return thread


def test_those_who_wait_go_in_the_order_they_came() -> None:
    gate, log = Gate(), []
    with gate.step():
        threads = [_arrive(gate, name, log, i) for i, name in enumerate("abc", start=1)]
        assert log == []
    for thread in threads:
        thread.join(10)
    assert log == ["a", "b", "c"] and gate.waiting == 0


def test_short_work_goes_between_two_steps_and_the_job_is_not_starved() -> None:
    gate, log = Gate(), []
    threads: list[threading.Thread] = []

    def job() -> None:
        for step in range(3):
            with gate.step():
                log.append(f"step {step}")
                if step < 2:  # one visitor comes during each step
                    threads.append(_arrive(gate, f"short {step}", log, 1))

    worker = threading.Thread(target=job)
    worker.start()
    worker.join(10)
    for thread in threads:
        thread.join(10)
    assert log == ["step 0", "short 0", "step 1", "short 1", "step 2"]


def test_only_one_holds_it() -> None:
    gate, inside, most = Gate(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with gate.short():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] and gate.waiting == 0


def test_who_holds_it_may_enter_again_and_an_error_opens_it() -> None:
    gate = Gate()
    try:
        with gate.step(), gate.short():
            raise KeyError
    except KeyError:
        pass
    done: list[str] = []
    thread = threading.Thread(target=lambda: [done.append("in") for _ in [0] if gate.short().__enter__() is None])
    thread.start()
    thread.join(10)
    assert done == ["in"]


def test_a_download_gives_the_gate_up_and_takes_it_again() -> None:
    gate, log = Gate(), []
    with gate.step(), gate.short():
        waiting = _arrive(gate, "visitor", log, 1)
        with gate.apart():
            waiting.join(10)
            log.append("downloaded")
        late = _arrive(gate, "late", log, 1)
        log.append("computed")
    late.join(10)
    assert log == ["visitor", "downloaded", "computed", "late"]
    with gate.apart():  # a thread that does not hold it has nothing to give up
        log.append("free")
    assert gate.waiting == 0


def test_a_shelf_loads_once_and_forgets_the_least_used() -> None:
    loaded: list[str] = []

    def load(name: str) -> str:
        loaded.append(name)
        return name.upper()

    shelf = Shelf(2, load)
    threads = [threading.Thread(target=shelf.get, args=("zoo:a",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert loaded == ["zoo:a"] and shelf.get("zoo:a") == "ZOO:A"
    for name in ("zoo:b", "zoo:a", "zoo:c", "zoo:a", "zoo:b"):
        shelf.get(name)
    assert loaded == ["zoo:a", "zoo:b", "zoo:c", "zoo:b"]
