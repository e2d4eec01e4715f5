"""What the cells of a family come to: by repair, by repair and architecture, and TSBD's ranking."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from bench.family.nets import architecture_of
from bench.family.score import Cell
from core.metrics.intervals import student

Row = dict[str, Any]
Key = tuple[str, str, str, int]
"""Repair, net, its weights and the seed."""


def repair_of(cell: Cell) -> str:
    return cell["method"].split("(")[0]


def of_repair(cells: list[Cell], repair: str, ended: bool = True) -> list[Cell]:
    """The runs of a repair that ended in a model, or those that ended in a sentence."""
    return [cell for cell in cells if repair_of(cell) == repair and ("refused" not in cell) == ended]


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
        own, failed = of_repair(cells, repair), of_repair(cells, repair, ended=False)
        if own:
            rows.append(
                {"repair": repair, "ACC lost": spread(by_net(own, lost), ""), "ASR": spread(by_net(own, after("asr"))),
                 "RA": spread(by_net(own, after("ra"))), "lost > 3": sum(one > 0.03 for one in by_net(own, lost)),
                 "ASR > 20 %": sum(one > 0.2 for one in by_net(own, after("asr"))), "nets": len(by_net(own, lost)),
                 "no result": len({one["net"] for one in failed}), "runs": len(own)} | _seconds("CPU time", own)
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
            row[name] = _two(by_net(own, lost), by_net(own, after("asr"))) if own else "no result"
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
    """One row per repair: earlier defaults and today's, over the nets and seeds that both were tried on."""
    tried = set(map(_key, old)) & set(map(_key, new))
    rows = []
    for repair in dict.fromkeys(repair_of(cell) for cell in new if _key(cell) in tried):
        keys = {key for key in tried if key[0] == repair}
        then, now = ([cell for cell in cells if _key(cell) in keys] for cells in (old, new))
        ended = set(map(_key, of_repair(then, repair))) & set(map(_key, of_repair(now, repair)))
        row = {"repair": repair} | _moment("old", then, ended) | _moment("new", now, ended)
        rows.append(row | {"runs": len(ended)})
    return rows


def _moment(when: str, cells: list[Cell], ended: set[Key]) -> Row:
    """Means over the runs `ended`, and how many of `cells` have no result."""
    own = [cell for cell in cells if _key(cell) in ended]
    means: Row = {}
    if own:
        means = {"ACC lost": spread(by_net(own, lost), ""), "ASR": spread(by_net(own, after("asr")))}
        means |= _seconds("CPU time", own)
    means["no result"] = sum("refused" in cell for cell in cells)
    return {f"{name}, {when}": value for name, value in means.items()}


def _key(cell: Cell) -> Key:
    return repair_of(cell), cell["net"], cell["sha"], cell["seed"]


def _seconds(name: str, cells: list[Cell]) -> Row:
    """The mean processor time of the cells that no GPU computed, where there are any."""
    own = [cell["cpu"] for cell in cells if "CPU" in cell.get("hardware", "CPU")]
    return {name: statistics.fmean(own)} if own else {}
