"""Where the figures of claims come from: stored tables and stored runs.

Each function below returns a finder: what takes a figure from an `Evidence`, or gives None where it is not stored.
"""

from __future__ import annotations

import fnmatch
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.metrics.correlation import spearman
from lab.claims.sample import Sample
from lab.tables import stored_table

Find = Callable[["Evidence"], Sample | None]
Row = dict[str, Any]
Value = str | Callable[[dict[str, float]], float | None]
"""Of a run: the name of a figure, or what is made of its figures."""
Where = Mapping[str, str]
"""By column, a pattern that the text of the row's cell must match ("cifar10-at*")."""


class Evidence:
    """What is stored: tables by name, and runs."""

    def __init__(self, rows: Iterable[Row] = (), tables: Callable[[str], dict[str, Any] | None] = stored_table):
        self.rows, self._tables = list(rows), tables
        self._read: dict[str, dict[str, Any] | None] = {}

    def table(self, name: str) -> dict[str, Any] | None:
        """A stored table, read once; None where there is none."""
        if name not in self._read:
            self._read[name] = self._tables(name)
        return self._read[name]


def cell(table: str, column: str, where: Where, over: str = "seeds") -> Find:
    """The values of one cell."""

    def find(evidence: Evidence) -> Sample | None:
        values = _values(evidence, table, column, where)
        return _sample(evidence, table, values, over)

    return find


def difference(table: str, column: str, of: Where, less: Where, over: str = "seeds") -> Find:
    """One cell less another, value by value; None unless both have the same number of values."""

    def find(evidence: Evidence) -> Sample | None:
        first, second = (_values(evidence, table, column, where) for where in (of, less))
        if not first or not second or len(first) != len(second):
            return None
        return _sample(evidence, table, [a - b for a, b in zip(first, second, strict=True)], over)

    return find


def columns(table: str, column: str, less: str, where: Where, over: str = "seeds") -> Find:
    """One column less another of the same row, value by value."""

    def find(evidence: Evidence) -> Sample | None:
        first, second = (_values(evidence, table, name, where) for name in (column, less))
        return _sample(evidence, table, [a - b for a, b in zip(first, second, strict=False)], over)

    return find


def every(table: str, value: Callable[[Row], float | None], where: Where, over: str) -> Find:
    """A value from each matching row; rows for which it gives None are left out."""

    def find(evidence: Evidence) -> Sample | None:
        values = [value(row) for row in _rows(evidence, table, where)]
        return _sample(evidence, table, [one for one in values if one is not None], over)

    return find


def paired(table: str, column: str, by: tuple[str, ...], of: Where, less: Where, over: str) -> Find:
    """The mean of a cell less that of another, for each pair of rows that agree in the columns `by`."""

    def find(evidence: Evidence) -> Sample | None:
        first, second = ({tuple(row[key] for key in by): row.get(column) for row in _rows(evidence, table, where)}
                         for where in (of, less))  # fmt: skip
        shared = [key for key in first if first[key] is not None and second.get(key) is not None]
        return _sample(evidence, table, [_mean(first[key]) - _mean(second[key]) for key in shared], over)

    return find


def correlation(
    table: str, x: str, y: str, where: Where, keep: Callable[[Row], bool] = bool, over: str = "nets"
) -> Find:
    """Spearman's rank correlation of two columns over the matching rows, with its bootstrap interval."""

    def find(evidence: Evidence) -> Sample | None:
        rows = [row for row in _rows(evidence, table, where) if keep(row)]
        pairs = [(row[x], row[y]) for row in rows if row.get(x) is not None and row.get(y) is not None]
        found = spearman([_mean(a) for a, _ in pairs], [_mean(b) for _, b in pairs])
        stored = evidence.table(table)
        if found is None or stored is None:
            return None
        bounds, seeds = (found.low, found.high), tuple(stored["seeds"])
        return Sample((found.value,), over, stored["n"], stored["hardware"], seeds, bounds, found.n)

    return find


def runs(
    method: str, model: str, value: Value,
    knobs: Mapping[str, Any] | None = None, over: str = "seeds",
) -> Find:  # fmt: skip
    """A figure of each stored run of a method on a model, the latest of each recipe.

    model : a pattern; of a run that follows another one, "TSBD on zoo:cifar10-badnets"
    knobs : values that the run's method must have
    """

    def find(evidence: Evidence) -> Sample | None:
        found: dict[tuple[str, int], tuple[float, Row]] = {}
        for row in evidence.rows:
            recipe = row["recipe"]
            about = recipe["method"]
            if about["method"] != method or not fnmatch.fnmatchcase(start(recipe["model"]), model):
                continue
            if any(about.get(name) != wanted for name, wanted in (knobs or {}).items()):
                continue
            measured = row["figures"].get(value) if isinstance(value, str) else value(row["figures"])
            if measured is not None:
                found[start(recipe["model"]), recipe["seed"]] = measured, row
        return _of_runs([one for one, _ in found.values()], [row for _, row in found.values()], over)

    return find


def start(model: Any) -> str:
    """What a run begins with: a model's reference, or the run before it and its model."""
    return model if isinstance(model, str) else f"{model['method']['method']} on {start(model['model'])}"


def _of_runs(values: list[float], rows: list[Row], over: str) -> Sample | None:
    if not values:
        return None
    counted = sorted({n for row in rows for n in row.get("counts", {}).values() if n > 1})
    hardware = sorted({row.get("hardware") or row.get("device", "unknown hardware") for row in rows})
    seeds = tuple(sorted({row["recipe"]["seed"] for row in rows}))
    n = f"n = {counted[-1]:,} pictures at most" if counted else ""
    return Sample(tuple(values), over, n, "; ".join(hardware), seeds)


def _rows(evidence: Evidence, table: str, where: Where) -> list[Row]:
    stored = evidence.table(table)
    rows = stored["rows"] if stored else []
    return [
        row for row in rows
        if all(fnmatch.fnmatchcase(str(row.get(column)), pattern) for column, pattern in where.items())
    ]  # fmt: skip


def _values(evidence: Evidence, table: str, column: str, where: Where) -> list[float]:
    """The values of the first matching row; none where there is none, or its cell is empty."""
    rows = _rows(evidence, table, where)
    value = rows[0].get(column) if rows else None
    return [] if value is None else value if isinstance(value, list) else [value]


def _sample(evidence: Evidence, table: str, values: list[float], over: str) -> Sample | None:
    stored = evidence.table(table)
    if not values or stored is None:
        return None
    seeds = tuple(stored["seeds"])
    if over == "seeds":
        seeds = seeds[: len(values)] or tuple(range(len(values)))
    return Sample(tuple(values), over, stored["n"], stored["hardware"], seeds)


def _mean(value: Any) -> float:
    return statistics.fmean(value) if isinstance(value, list) else value
