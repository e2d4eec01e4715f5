"""Finished runs in a file of JSON lines: what a sweep appends to, and what ships with the lab.

A line is a result's row (`lab.results.Result.row`) and the machine it was computed on. Lines are only ever added, and
the last one with a key counts; a line that was cut off by an interruption is passed over.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import models
from core.device import hardware

CELLS = Path(__file__).resolve().parents[1] / "bench" / "results" / "cells"
"""The files that ship with the lab: one for each sweep, `<name>.jsonl`."""


class Store:
    """The rows of one file, by key; the file need not exist yet. `also` are rows that are known from elsewhere."""

    def __init__(self, path: Path, also: Iterable[dict[str, Any]] = ()):
        self.path = path
        self._rows = {row["key"]: row for row in read(path)}
        self._also = {row["key"]: row for row in also}

    def find(self, key: str) -> dict[str, Any] | None:
        """The row with this cache key, or None."""
        return self._rows.get(key) or self._also.get(key)

    def add(self, row: dict[str, Any]) -> bool:
        """Append a row; a last line without an end is closed first."""
        row = row | {"hardware": hardware()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(row).encode() + b"\n")
        self._rows[row["key"]] = row
        return True

    def rows(self) -> list[dict[str, Any]]:
        """Every row, oldest first, each key once."""
        return list(self._rows.values())


def read(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a file, in their order; none where there is no file."""
    if not path.is_file():
        return []
    found = (_row(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [row for row in found if row is not None]


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) and {"key", "recipe", "figures"} <= row.keys() else None


def shipped(folder: Path = CELLS) -> list[dict[str, Any]]:
    """The rows of every file that ships with the lab, oldest file name first."""
    files = sorted(folder.glob("*.jsonl"))
    return [row for file in files for row in _kept(file, file.stat().st_mtime_ns)]


@functools.lru_cache(maxsize=32)
def _kept(path: Path, changed: int) -> tuple[dict[str, Any], ...]:
    """`read`, once for each state of a file; `changed` makes the cache notice an edit."""
    return tuple(read(path))


def stored(limit: int = 2000) -> list[dict[str, Any]]:
    """All that is known: what ships with the lab, then this server's history, oldest first.

    Rows of a shipped model that has been trained again since are left out: they say nothing any more.
    """
    from lab.history import history

    shas = {card.ref: card.sha for card in models.available()}
    rows = [*shipped(), *reversed(history().rows(limit))]
    return [row for row in rows if not row.get("stopped") and current(row, shas)]


def current(row: dict[str, Any], shas: dict[str, str]) -> bool:
    """Whether the shipped models behind a row are those on the shelf, `shas` by reference."""
    used = {ref: sha for ref, sha in row.get("versions", {}).items() if ref.startswith("zoo:")}
    return all(shas.get(ref) == sha for ref, sha in used.items())
