"""The stored family of nets with their flatness (`python -m bench.flatness`): its rows, and what orders what."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from core.metrics.correlation import Correlation, spearman
from lab import tables

MEASURES = {
    "average": "average-case flatness", "worst": "worst-case flatness", "clean average": "flatness of the clean loss",
    "Hessian trace": "trace of the Hessian",
}  # fmt: skip
AGAINST = {
    "robust loss": "robust loss", "gap": "robust gap (training less test accuracy)",
    "loss gap": "gap of the robust loss (test less training)",
}  # fmt: skip
"""Columns of the table, and what they are."""
WITHSTANDS = 0.1
"""A net that gets fewer of the pictures right under attack has a loss that tells how sure it is of wrong answers."""
STRONG = 0.8
"""A rank correlation from which on a measure is said to order the nets."""


def withstands(row: dict[str, Any]) -> bool:
    """Whether a net of the table gets enough of the pictures right under the attack."""
    return row["robust"] >= WITHSTANDS


@dataclass(frozen=True)
class Family:
    """The nets of the stored table on one data set.

    rows : by net: "net" and each measure as a number, the mean over its draws; units : by measure
    behind : what stands behind the figures, in a sentence
    """

    rows: tuple[dict[str, Any], ...]
    units: dict[str, str]
    behind: str

    def correlation(self, measure: str, against: str) -> Correlation | None:
        """How well `measure` orders the nets by `against`; None for fewer than three nets."""
        return spearman([row[measure] for row in self.rows], [row[against] for row in self.rows])


def data_sets() -> list[str]:
    """The data sets whose nets have been measured; none where there is no table."""
    return sorted({row["data"] for row in _table().get("rows", [])})


def family(data: str, robust: bool = False) -> Family:
    """The nets on one data set; `robust` leaves out those that do not withstand the attack."""
    table = _table()
    rows = [
        {"net": row["model"], **{key: _mean(value) for key, value in row.items() if key not in ("model", "data")}}
        for row in table["rows"]
        if row["data"] == data and (withstands(row) or not robust)
    ]
    seeds = ", ".join(map(str, table["seeds"]))
    return Family(tuple(rows), dict(table["units"]), f"{table['n']}; seed {seeds}; {table['hardware']}.")


def said(found: Correlation | None, measure: str, against: str) -> str:
    """What the correlation tells, with its interval."""
    if found is None:
        return "Fewer than three nets have been measured, so there is no correlation to speak of."
    told = (
        f"Spearman's rank correlation of the {MEASURES[measure]} with the {AGAINST[against]}: **{found.value:+.2f}** "
        f"(95 % bootstrap interval {found.low:+.2f} to {found.high:+.2f}, {found.n} nets)."
    )
    if found.low <= 0 <= found.high:
        return f"{told} The interval holds 0: over these nets it does not order them."
    if abs(found.value) >= STRONG:
        return f"{told} It orders these nets well."
    return f"{told} It orders these nets in part."


def curves() -> dict[str, dict[str, Any]]:
    """A slice of the landscape of each net, by name: "alphas", "loss" and "fixed", with n."""
    path = tables.TABLES.parent / "flatness-curves.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def epochs() -> dict[str, list[dict[str, Any]]]:
    """Trainings whose flatness was measured along the way, by the net's name: a row for each epoch, in nats."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (tables.stored_table("flatness-epochs") or {}).get("rows", []):
        found.setdefault(row["model"], []).append({name: _mean(value) for name, value in row.items()})
    return found


def over_epochs(rows: list[dict[str, Any]]) -> str:
    """Where a training stood best, and how flat the network was there and at the end."""
    best, last = min(rows, key=lambda row: row["robust loss"]), rows[-1]
    told = (
        f"The robust loss on test pictures is lowest after epoch {best['epoch']}, {best['robust loss']:.2f} nats; the "
        f"average-case flatness is {best['average']:.2f} nats there"
    )
    if best is last:
        return f"{told}, at the end of the training: within these epochs it does not overfit."
    then = f"{told}, and {last['average']:.2f} after epoch {last['epoch']}, where the loss is {last['robust loss']:.2f}"
    flatter = best["average"] < last["average"]
    return f"{then}: the network is {'flatter' if flatter else 'no flatter'} where it is best."


def _table() -> dict[str, Any]:
    return tables.stored_table("flatness") or {}


def _mean(value: Any) -> Any:
    return statistics.fmean(value) if isinstance(value, list) else value
