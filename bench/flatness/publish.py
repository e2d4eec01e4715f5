"""The table of the family, and the slices of its landscapes, from the cells that were measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bench.flatness.measure import AVERAGE, WORST, Cell
from bench.keep import keep
from core.metrics.correlation import spearman
from lab import tables

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
        "average": cell["average"][str(AVERAGE[0])],
        "worst": max(cell["worst"][str(WORST[0])]),
        "clean average": sum(cell["clean average"]) / len(cell["clean average"]),
        "Hessian trace": sum(cell["trace"]) / len(cell["trace"]),
    }


def correlations(rows: Sequence[dict[str, Any]]) -> str:
    """How each measure orders the robust loss and the robust gap of the nets on each data set."""
    told = []
    for data in sorted({row["data"] for row in rows}):
        of_data = [row for row in rows if row["data"] == data]
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


def publish(cells: Sequence[Cell]) -> None:
    """Write lab/stored/tables/flatness.json and lab/stored/flatness-curves.json."""
    rows = sorted((row(cell) for cell in cells), key=lambda one: (one["data"], one["robust loss"]))
    method = cells[0]
    path = keep(
        "flatness",
        "Robust flatness of plain and robust nets",
        rows,
        command="python -m bench.flatness",
        n=f"{method['n']:,} pictures of each split; average over {method['draws']} draws (mean ± standard deviation)",
        seeds=[method["seed"]],
        units=dict.fromkeys(("accuracy", "robust", "robust, train", "gap"), "%")
        | dict.fromkeys(("robust loss", "loss gap", "average", "worst", "clean average"), "nats"),
        machine=", ".join(sorted({cell["hardware"] for cell in cells})),
        note=f"Robust: PGD, ε = {255 * method['eps']:.0f}/255, {method['steps']} steps of {method['alpha']:g}, best "
        "iterate. gap: robust accuracy on training pictures less that on test pictures. average: rise of the robust "
        f"loss at ξ = {AVERAGE[0]:g}; worst: at ξ = {WORST[0]:g}, the largest of the tries; clean average: rise of the "
        f"clean loss at ξ = {AVERAGE[0]:g}. Spearman's rank correlation (95 % bootstrap interval over the nets): "
        f"{correlations(rows) or 'too few nets'}.",
    )
    curves = {cell["net"]: cell["landscape"] | {"sha": cell["sha"]} for cell in cells}
    (tables.TABLES.parent / f"{CURVES}.json").write_text(json.dumps(curves) + "\n", encoding="utf-8")
    print(path.read_text())
