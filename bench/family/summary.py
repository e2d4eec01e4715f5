"""What the cells of a family come to: by repair, by repair and architecture, and TSBD's ranking."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from bench.family.nets import architecture_of
from bench.family.score import Cell
from core.metrics.intervals import student

Row = dict[str, Any]


def repair_of(cell: Cell) -> str:
    return cell["method"].split("(")[0]


def of_repair(cells: list[Cell], repair: str) -> list[Cell]:
    """The runs of a repair that ended in a model."""
    return [cell for cell in cells if repair_of(cell) == repair and "refused" not in cell]


def lost(cell: Cell) -> float:
    return cell["before"]["acc"] - cell["after"]["acc"]


def before(figure: str) -> Callable[[Cell], float]:
    return lambda cell: cell["before"][figure]


def after(figure: str) -> Callable[[Cell], float]:
    return lambda cell: cell["after"][figure]


def by_net(cells: list[Cell], value: Callable[[Cell], float]) -> list[float]:
    """For each net the mean over its seeds."""
    nets = dict.fromkeys(cell["net"] for cell in cells)
    return [statistics.fmean(value(cell) for cell in cells if cell["net"] == net) for net in nets]


def spread(values: list[float], sign: str = " %") -> str:
    """The mean and its 95 % t-interval: "4.2 % (1.0 to 7.4)"."""
    said = f"{100 * statistics.fmean(values):.1f}{sign}"
    interval = student(values)
    return said if interval is None else f"{said} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def by_repair(cells: list[Cell]) -> list[Row]:
    """One row per repair over all nets: each net counts once, with the mean over its seeds."""
    rows = []
    for repair in dict.fromkeys(map(repair_of, cells)):
        own = of_repair(cells, repair)
        refusals = {cell["net"] for cell in cells if repair_of(cell) == repair and "refused" in cell}
        if own:
            rows.append(
                {"repair": repair, "ACC lost": spread(by_net(own, lost), ""), "ASR": spread(by_net(own, after("asr"))),
                 "RA": spread(by_net(own, after("ra"))), "lost > 3": sum(one > 0.03 for one in by_net(own, lost)),
                 "ASR > 20 %": sum(one > 0.2 for one in by_net(own, after("asr"))), "nets": len(by_net(own, lost)),
                 "refused": len(refusals), "runs": len(own), "CPU time": _seconds(own)}
            )  # fmt: skip
    return rows


def by_architecture(cells: list[Cell]) -> list[Row]:
    """One row per repair: "ACC lost / ASR" for each architecture, means over its nets; the first row is the start."""
    architectures = list(dict.fromkeys(architecture_of(cell["net"]) for cell in cells))
    scored = [cell for cell in cells if "refused" not in cell]
    first: Row = {"repair": "none (ACC / ASR)"}
    for name in architectures:
        own = [cell for cell in scored if architecture_of(cell["net"]) == name]
        first[name] = _two(by_net(own, before("acc")), by_net(own, before("asr")))
    rows = [first]
    for repair in dict.fromkeys(map(repair_of, cells)):
        row: Row = {"repair": repair}
        for name in architectures:
            own = [cell for cell in of_repair(cells, repair) if architecture_of(cell["net"]) == name]
            row[name] = _two(by_net(own, lost), by_net(own, after("asr"))) if own else "refused"
        rows.append(row)
    return rows


def _two(one: list[float], other: list[float]) -> str:
    return f"{100 * statistics.fmean(one):.1f} / {100 * statistics.fmean(other):.1f}"


def rankings(cells: list[Cell]) -> list[Row]:
    """One row per net: what TSBD's ranking finds of the trigger's channels, beside what the repair leaves."""
    own = of_repair(cells, "TSBD")
    rows = []
    for net in dict.fromkeys(cell["net"] for cell in own):
        mine = [cell for cell in own if cell["net"] == net]
        rows.append(
            {"net": net, "ASR before": mine[0]["before"]["asr"], "finds": [cell["finds"] for cell in mine],
             "ASR": [cell["after"]["asr"] for cell in mine], "ACC lost": [100 * lost(cell) for cell in mine]}
        )  # fmt: skip
    return rows


def beside(old: list[Cell], new: list[Cell]) -> list[Row]:
    """One row per repair: means before and after the change of defaults, over the nets and seeds that both have."""
    rows = []
    for repair in dict.fromkeys(map(repair_of, old)):
        then, now = of_repair(old, repair), of_repair(new, repair)
        keys = {_key(cell) for cell in then} & {_key(cell) for cell in now}
        if keys:
            then = [cell for cell in then if _key(cell) in keys]
            now = [cell for cell in now if _key(cell) in keys]
            rows.append(
                {"repair": repair, "ACC lost, old": spread(by_net(then, lost), ""),
                 "ACC lost, new": spread(by_net(now, lost), ""), "ASR, old": spread(by_net(then, after("asr"))),
                 "ASR, new": spread(by_net(now, after("asr"))), "CPU time, old": _seconds(then),
                 "CPU time, new": _seconds(now), "nets": len(by_net(now, lost)), "runs": len(now)}
            )  # fmt: skip
    return rows


def _key(cell: Cell) -> tuple[str, str, int]:
    return cell["net"], cell["sha"], cell["seed"]


def _seconds(cells: list[Cell]) -> float:
    return statistics.fmean(cell["cpu"] for cell in cells)
