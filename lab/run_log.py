"""Finished runs in a file of JSON lines: what a sweep appends to, and what ships with the lab.

A line is a result's row (`lab.results.Result.row`) and the machine it was computed on. Lines are only ever added, and
the last one with a key counts; a line that was cut off by an interruption is skipped.

A row is read as today's code writes it: a knob that was added after the run has its default, so an old row still
stands for the run it was. A row whose recipe can no longer be built (a method or a knob is gone) is skipped.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import models
from core.device import hardware
from lab import cache_key
from lab.recipes import Recipe
from lab.settings import settings

Row = dict[str, Any]

SHIPPED = Path(__file__).resolve().parent / "stored"
"""The files that ship with the lab: one for each sweep, `<name>.jsonl`."""


class RunLog:
    """The rows of one file, by key; the file need not exist yet. `also` are rows that are known from elsewhere."""

    def __init__(self, path: Path, also: Iterable[Row] = ()):
        self.path = path
        self._rows = {row["key"]: row for row in read(path)}
        self._also = {row["key"]: row for row in also}

    def find(self, key: str) -> Row | None:
        """The row with this cache key, or None."""
        return self._rows.get(key) or self._also.get(key)

    def add(self, row: Row) -> bool:
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

    def rows(self) -> list[Row]:
        """Every row, oldest first, each key once."""
        return list(self._rows.values())


def read(path: Path) -> list[Row]:
    """The whole rows of a file, in their order; none where there is no file."""
    if not path.is_file():
        return []
    found = (_row(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [row for row in found if row is not None]


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    whole = isinstance(row, dict) and {"key", "recipe", "figures"} <= row.keys()
    return up_to_date(row) if whole else None


def up_to_date(row: Row) -> Row | None:
    """The row with its recipe and key as today's code writes them; None where its recipe can no longer be built."""
    found = _built(json.dumps(row["recipe"], sort_keys=True))
    if found is None:
        return None
    recipe, written = found
    return row if written == row["recipe"] else row | {"recipe": written, "key": cache_key.key_of_row(recipe, row)}


@functools.lru_cache(maxsize=8192)  # the history is read again each time a page is drawn
def _built(text: str) -> tuple[Recipe, dict[str, Any]] | None:
    """The recipe, and its JSON data as today's code writes them."""
    try:
        recipe = Recipe.from_json(text)
    except ValueError:
        return None
    return recipe, recipe.to_dict()


def shipped(folder: Path | None = None) -> list[Row]:
    """The rows of every file in a folder (that of the shipped ones), by file name."""
    files = sorted((folder or SHIPPED).glob("*.jsonl"))
    return [row for file in files for row in _kept(file, file.stat().st_mtime_ns)]


@functools.lru_cache(maxsize=32)
def _kept(path: Path, changed: int) -> tuple[Row, ...]:
    """`read`, once for each state of a file; `changed` makes the cache notice an edit."""
    return tuple(read(path))


def own_folder() -> Path:
    """Where a paper's new runs are kept: beside the shipped ones in a checkout, else below the cache folder.

    An installed package is left as it is: what is written into it would be lost with the next version.
    """
    checkout = (SHIPPED.parents[1] / "pyproject.toml").is_file() and os.access(SHIPPED, os.W_OK)
    return SHIPPED if checkout else settings.cache_folder / "runs"


def stored(limit: int = 2000) -> list[Row]:
    """All that is known: what ships with the lab, a user's own runs, then this server's history, oldest first."""
    from lab.history import history

    past = (up_to_date(row) for row in reversed(history().rows(limit)))
    return of_todays_models([*in_files(), *(row for row in past if row is not None and not row.get("stopped"))])


def in_files() -> list[Row]:
    """What ships with the lab and a user's own runs of papers, oldest first, without this server's history."""
    own = own_folder()
    rows = [*shipped(), *(shipped(own) if own != SHIPPED else ())]
    return of_todays_models([row for row in rows if not row.get("stopped")])


def version() -> tuple[object, ...]:
    """What differs as soon as `stored` may give something else: the files, the history's last run, the models."""
    from lab.history import history

    return history().latest(), *files_version()


def files_version() -> tuple[object, ...]:
    """What differs as soon as `in_files` may give something else: the files and the models."""
    folders = dict.fromkeys((SHIPPED, own_folder()))
    files = sorted(file for folder in folders for file in folder.glob("*.jsonl"))
    return *((file, file.stat().st_mtime_ns) for file in files), *(card.sha for card in models.available())


def of_todays_models(rows: list[Row]) -> list[Row]:
    """Those of the rows whose shipped models have not been trained again since: others say nothing any more."""
    shas = {card.ref: card.sha for card in models.available()}
    return [row for row in rows if current(row, shas)]


def current(row: Row, shas: dict[str, str]) -> bool:
    """Whether the shipped models behind a row are today's, `shas` by reference."""
    used = {ref: sha for ref, sha in row.get("versions", {}).items() if ref.startswith("zoo:")}
    return all(shas.get(ref) == sha for ref, sha in used.items())
