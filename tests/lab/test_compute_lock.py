"""The compute lock: one at a time, in the order of arrival, and nobody starves."""

from __future__ import annotations

import threading

from lab.running.compute_lock import ComputeLock
from tests.support.fakes import Clock


def _arrive(lock: ComputeLock, name: str, log: list[str], waiting: int) -> threading.Thread:
    """A thread that stands before the lock, as number `waiting`, before this returns."""

    def work() -> None:
        with lock:
            log.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    Clock.until(lambda: lock.waiting == waiting)
    return thread


def test_those_who_wait_go_in_the_order_they_came() -> None:
    lock, log = ComputeLock(), []
    with lock:
        threads = [_arrive(lock, name, log, i) for i, name in enumerate("abc", start=1)]
        assert log == []
    for thread in threads:
        thread.join(10)
    assert log == ["a", "b", "c"] and lock.waiting == 0


def test_short_work_goes_between_two_steps_and_the_job_is_not_starved() -> None:
    lock, log = ComputeLock(), []
    threads: list[threading.Thread] = []

    def job() -> None:
        for step in range(3):
            with lock:
                log.append(f"step {step}")
                if step < 2:  # one visitor comes during each step
                    threads.append(_arrive(lock, f"short {step}", log, 1))

    worker = threading.Thread(target=job)
    worker.start()
    worker.join(10)
    for thread in threads:
        thread.join(10)
    assert log == ["step 0", "short 0", "step 1", "short 1", "step 2"]


def test_only_one_holds_it() -> None:
    lock, inside, most = ComputeLock(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] and lock.waiting == 0


def test_who_holds_it_may_enter_again_and_an_error_opens_it() -> None:
    lock = ComputeLock()
    try:
        with lock, lock:
            raise KeyError
    except KeyError:
        pass
    done: list[str] = []
    thread = threading.Thread(target=lambda: [done.append("in") for _ in [0] if lock.__enter__() is lock])
    thread.start()
    thread.join(10)
    assert done == ["in"]


def test_a_download_gives_the_lock_up_and_takes_it_again() -> None:
    lock, log = ComputeLock(), []
    with lock, lock:
        waiting = _arrive(lock, "visitor", log, 1)
        with lock.released():
            waiting.join(10)
            log.append("downloaded")
        late = _arrive(lock, "late", log, 1)
        log.append("computed")
    late.join(10)
    assert log == ["visitor", "downloaded", "computed", "late"]
    with lock.released():  # a thread that does not hold it has nothing to give up
        log.append("free")
    assert lock.waiting == 0


def test_what_can_be_done_without_takes_the_lock_only_where_nobody_holds_it() -> None:
    lock, got = ComputeLock(), []

    def ask() -> None:
        with lock.if_free() as free:
            got.append(free)

    def elsewhere() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(10)

    with lock:
        elsewhere()
        ask()  # who holds it may enter again
    elsewhere()
    assert got == [False, True, True]
    with lock:
        assert lock.waiting == 0
