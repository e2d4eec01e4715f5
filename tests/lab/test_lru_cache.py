"""The cache: by use, by age, and made once by whoever comes first."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from lab import lru_cache
from lab.lru_cache import LRUCache


def test_what_is_least_used_goes_first() -> None:
    cache: LRUCache[str] = LRUCache(2)
    cache.put("a", "A")
    cache.put("b", "B")
    assert cache.get("a") == "A"
    cache.put("c", "C")
    assert cache.get("b") is None and cache.get("a") == "A" and len(cache) == 2
    cache.clear()
    assert cache.get("a") is None


def test_what_is_too_old_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(lru_cache, "time", SimpleNamespace(monotonic=lambda: now[0]))
    cache: LRUCache[str] = LRUCache(2, 60.0)
    cache.put("a", "A")
    now[0] = 60.0
    assert cache.get("a") == "A"
    now[0] = 60.1
    assert cache.get("a") is None and len(cache) == 0


def test_making_one_value_holds_up_nobody_who_asks_for_another() -> None:
    cache: LRUCache[str] = LRUCache(2)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        return "A"

    thread = threading.Thread(target=cache.get_or_make, args=("a", slow))
    thread.start()
    assert begun.wait(10) and cache.get_or_make("b", lambda: "B") == "B"
    go_on.set()
    thread.join()
    assert cache.get("a") == "A"


def test_two_who_ask_at_once_make_it_once() -> None:
    made: list[str] = []
    cache: LRUCache[str] = LRUCache(2)

    def ask(name: str = "a") -> str:
        return cache.get_or_make(name, lambda: [made.append(name), name.upper()][1])

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == ["a"] and ask() == "A"
    for name in ("b", "a", "c", "a", "b"):
        ask(name)
    assert made == ["a", "b", "c", "b"]
