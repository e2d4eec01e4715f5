"""The tables of the family and of a training's epochs, and slices of the landscapes, from what was measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.flatness.measure import AVERAGE, WORST, Cell
from bench.keep import keep
from core.metrics.correlation import spearman
from lab import tables
from lab.flatness_family import WITHSTANDS, withstands

CURVES = "flatness-curves"


def row(cell: Cell) -> dict[str, Any]:
    """A net's line of the table; the average case with a number for each draw."""
    robust, clean = cell["robust"], cell["clean"]
    return {
        "model": cell["net"],
        "data": cell["data"],
        "accuracy": clean["test"]["acc"],
        "robust": robust["test"]["acc"],
        "robust, train": robust["train"]["acc"],
        "gap": robust["train"]["acc"] - robust["test"]["acc"],
        "robust loss": robust["test"]["loss"],
        "loss gap": robust["test"]["loss"] - robust["train"]["loss"],
        "average": cell["average"],
        "worst": max(cell["worst"]),
        "clean average": sum(cell["clean average"]) / len(cell["clean average"]),
        "Hessian trace": sum(cell["trace"]) / len(cell["trace"]),
    }


def correlations(rows: Sequence[dict[str, Any]]) -> str:
    """How each measure orders the robust loss and the robust gap of the nets that withstand the attack."""
    told = []
    for data in sorted({row["data"] for row in rows}):
        of_data = [row for row in rows if row["data"] == data and withstands(row)]
        for column in ("average", "worst", "clean average", "Hessian trace"):
            for against in ("robust loss", "gap"):
                values = [mean(row[column]) for row in of_data]
                found = spearman(values, [row[against] for row in of_data])
                if found is not None:
                    told.append(f"{data}, {column} with {against}: {found.value:+.2f} ({found.low:+.2f} to "
                                f"{found.high:+.2f}, {found.n} nets)")  # fmt: skip
    return "; ".join(told)


def mean(value: float | list[float]) -> float:
    """Of a column with a number for each draw, their mean."""
    return sum(value) / len(value) if isinstance(value, list) else value


def publish(cells: Sequence[Cell], epochs: Sequence[Cell]) -> None:
    """Write lab/stored/tables/flatness.json and flatness-epochs.json, and lab/stored/flatness-curves.json."""
    rows = sorted((row(cell) for cell in cells), key=lambda one: (one["data"], one["robust loss"]))
    title = "Robust flatness of plain and robust nets"
    print(_kept("flatness", title, rows, cells, _about(cells[0], rows)).read_text())
    curves = {cell["net"]: cell["landscape"] | {"sha": cell["sha"]} for cell in cells}
    (tables.TABLES.parent / f"{CURVES}.json").write_text(json.dumps(curves) + "\n", encoding="utf-8")
    if epochs:
        moments = sorted((moment(cell) for cell in epochs), key=lambda one: (one["model"], one["epoch"]))
        title = "Robust flatness over the epochs of a training"
        print(_kept("flatness-epochs", title, moments, epochs, _attack(epochs[0])).read_text())


def moment(cell: Cell) -> dict[str, Any]:
    """An epoch of a training as a line of its table."""
    robust = cell["robust"]
    return {
        "model": cell["net"].split("@")[0],
        "data": cell["data"],
        "epoch": cell["epoch"],
        "robust": robust["test"]["acc"],
        "robust, train": robust["train"]["acc"],
        "robust loss": robust["test"]["loss"],
        "robust loss, train": robust["train"]["loss"],
        "average": cell["average"],
    }


def _kept(name: str, title: str, rows: list[dict[str, Any]], cells: Sequence[Cell], note: str) -> Path:
    first = cells[0]
    return keep(
        name,
        title,
        rows,
        command="python -m bench.flatness --publish",
        n=f"{first['n']:,} pictures of each split; average over {first['draws']} draws (mean ± standard deviation)",
        seeds=[first["seed"]],
        units=dict.fromkeys(("accuracy", "robust", "robust, train", "gap"), "%")
        | dict.fromkeys(("robust loss", "robust loss, train", "loss gap", "average", "worst", "clean average"), "nats"),
        machine=", ".join(sorted({cell["hardware"] for cell in cells})),
        note=note,
    )


def _attack(cell: Cell) -> str:
    return (
        f"Robust: PGD, ε = {255 * cell['eps']:.0f}/255, {cell['steps']} steps of {cell['alpha']:g}, best iterate. "
        f"average: rise of the robust loss at ξ = {AVERAGE:g}."
    )


def _about(cell: Cell, rows: Sequence[dict[str, Any]]) -> str:
    return (
        f"{_attack(cell)} gap: robust accuracy on training pictures less that on test pictures; loss gap: robust loss "
        f"on test pictures less that on training pictures. worst: rise at ξ = {WORST:g}, the largest of "
        f"{cell['restarts']} tries; clean average: rise of the clean loss at ξ = {AVERAGE:g}. Spearman's rank "
        f"correlation (95 % bootstrap interval over the nets) where a net gets {WITHSTANDS:.0%} of the pictures right "
        "under the attack, or more: "
        f"{correlations(rows) or 'too few nets'}."
    )
