"""The stored bias test (`python -m bench.bias`): its rows for a chart, and what it tells, in a sentence."""

from __future__ import annotations

import statistics
from typing import Any

from lab import tables

COLUMNS = {
    "shuffled": "shuffled", "acc": "as trained", "same": "mixed same", "background": "background alone",
    "object": "object alone", "gap": "gap", "epg": "heat on object", "consistency": "mean E", "pgd": "PGD",
    "pgd background": "PGD, background", "corrupted": "corrupted",
}  # fmt: skip
"""The columns of the table, by the figure that they hold."""
SHOWN = ("shuffled", "as trained", "background alone", "object alone")
PLAIN, OURS, BY_LOSS = FIRST = ("scenes-biased", "scenes-biased-consistency", "scenes-biased-byloss")
"""The networks that ship."""


def rows() -> list[dict[str, Any]]:
    """The networks that ship, on each set of pictures: "network", "set", "share", "low" and "high" over the seeds."""
    found = _rows()
    return [
        {"network": name, "set": column, "share": statistics.fmean(found[name][column]),
         "low": min(found[name][column]), "high": max(found[name][column])}
        for column in SHOWN for name in FIRST if name in found
    ]  # fmt: skip


def said() -> str:
    """Whether training by explanation consistency is above plain training, and above weights by loss; seed by seed."""
    found = _rows()
    if not set(FIRST) <= set(found):
        return "Not all of these networks have been measured."
    against = [
        f"{_difference(found[OURS]['shuffled'], found[name]['shuffled'])} {words}"
        for name, words in ((PLAIN, "plain training"), (BY_LOSS, "weights by loss"))
    ]
    heat = _difference(found[OURS]["heat on object"], found[PLAIN]["heat on object"])
    e = [statistics.fmean(found[name]["mean E"]) for name in (OURS, PLAIN)]
    return (
        f"With shuffled backgrounds, training by explanation consistency gets {_mean(found[OURS]['shuffled'])} right: "
        f"{against[0]} and {against[1]}. The share of the heat on the object is {heat} plain training, and the mean E "
        f"{e[0]:.3f} in place of {e[1]:.3f}."
    )


def behind() -> str:
    """n, seeds and hardware."""
    table = tables.stored_table("bias") or {}
    seeds = ", ".join(map(str, table["seeds"]))
    return f"{table['n']}; seeds {seeds}; lines from the lowest to the highest seed; {table['hardware']}."


def _rows() -> dict[str, dict[str, Any]]:
    return {row["network"]: row for row in (tables.stored_table("bias") or {}).get("rows", [])}


def _mean(values: list[float]) -> str:
    return f"{100 * statistics.fmean(values):.1f} %"


def _difference(first: list[float], second: list[float]) -> str:
    """ "3.1 ± 0.4 points above", over pairs of one seed; "about as much as" where the differences spread around 0."""
    each = [100 * (a - b) for a, b in zip(first, second, strict=True)]
    mean, spread = statistics.fmean(each), statistics.stdev(each) if len(each) > 1 else 0.0
    told = f"{abs(mean):.1f}" + (f" ± {spread:.1f}" if len(each) > 1 else "")
    return f"{told} points {'above' if mean > 0 else 'below'}"
