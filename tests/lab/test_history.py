"""The history: many writers, one file; a database that fails harms nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from lab.history import History


def row(key: str, method: str = "TSBD") -> dict[str, Any]:
    """A row as `Result.row` gives it."""
    return {
        "key": key, "method": method, "seconds": 1.5, "device": "cpu, 1 threads", "recipe": {"seed": 0},
        "figures": {"after/acc": 0.9}, "counts": {"after/acc": 100}, "notes": {}, "versions": {"torch": "2"},
    }  # fmt: skip


def test_a_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    history = History(create_engine(f"sqlite:///{tmp_path / 'runs.sqlite'}"))
    assert history.latest() == 0
    assert history.add(row("a")) and history.add(row("a") | {"seconds": 2.0}) and history.add(row("b", "FineTuning"))
    found = history.find("a")
    assert found is not None and found["seconds"] == 2.0 and found["figures"] == {"after/acc": 0.9}
    assert history.find("c") is None and history.latest() == 3
    assert [each["key"] for each in history.rows()] == ["b", "a", "a"]
    assert [each["key"] for each in history.rows(limit=5, method="FineTuning")] == ["b"]
    assert not {"picture", "visitor", "user", "file"} & set(found)


def test_thirty_threads_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    history = History(create_engine(f"sqlite:///{tmp_path / 'runs.sqlite'}"))
    start = threading.Barrier(30)

    def write(i: int) -> None:
        start.wait(10)
        for j in range(3):
            history.add(row(f"{i}-{j}"))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert history.problem == ""
    assert len({each["key"] for each in history.rows(limit=1000)}) == 90
    with history.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path) -> None:
    history = History(create_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'runs.sqlite'}"))
    assert "cannot be read or written" in history.problem
    assert history.add(row("a")) is False and history.rows() == [] and history.find("a") is None


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "runs.sqlite"
    broken.write_bytes(b"this is not a database" * 100)
    history = History(create_engine(f"sqlite:///{broken}"))
    assert history.add(row("a")) is False and history.rows() == [] and "everything else works" in history.problem


def test_a_read_only_database_is_read_and_not_written(tmp_path: Path) -> None:
    file = tmp_path / "runs.sqlite"
    History(create_engine(f"sqlite:///{file}")).add(row("a"))
    history = History(create_engine(f"sqlite:///file:{file}?mode=ro&uri=true"))
    assert history.add(row("b")) is False and history.problem
    assert [each["key"] for each in history.rows()] == ["a"]
