"""What A-CAV changes against TCAV: its goals, concept by concept, from the stored table of `python -m bench.concepts`.

    python -m bench.acav

Computes no vector. Writes lab/stored/tables/acav.json.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.keep import keep
from core.metrics.intervals import student
from lab.tables import stored_table

BASE, RECALL, SPREAD = "TCAV", "recall at 5 % FPR", "recall"
THIRD = 1 / 3
"""The most that the deviation of recall may be of TCAV's."""


def row(base: Mapping[str, Any], arm: Mapping[str, Any]) -> dict[str, Any]:
    """One arm against TCAV on the same concept and random sets, pair by pair."""
    gains = [a - b for a, b in zip(arm[RECALL], base[RECALL], strict=True)]
    low, high = student(gains) or (float("nan"), float("nan"))
    ratio = statistics.stdev(arm[SPREAD]) / statistics.stdev(base[SPREAD])
    return {
        "model": arm["model"], "concept": arm["concept"], "method": arm["method"],
        "gain at 5 % FPR": statistics.fmean(gains), "from": low, "to": high,
        "recall at 5 % FPR is": "higher" if low > 0 else "lower" if high < 0 else "not told apart",
        "deviation / TCAV's": ratio, "a third or less": "yes" if ratio <= THIRD else "no",
    }  # fmt: skip


def compared(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every arm but TCAV, against the TCAV of its model and concept."""
    bases = {(each["model"], each["concept"]): each for each in rows if each["method"] == BASE}
    return [row(bases[each["model"], each["concept"]], each) for each in rows if each["method"] != BASE]


def verdict(found: Sequence[Mapping[str, Any]]) -> str:
    """For each arm, for how many pairs of concept and model either goal is reached."""
    told = []
    for arm in dict.fromkeys(each["method"] for each in found):
        own = [each for each in found if each["method"] == arm]
        told.append(
            f"{arm}: recall at 5 % FPR higher than TCAV's for {_count(own, 'recall at 5 % FPR is', 'higher')} of "
            f"{len(own)} pairs of concept and model, lower for {_count(own, 'recall at 5 % FPR is', 'lower')}; "
            f"deviation at most a third of TCAV's for {_count(own, 'a third or less', 'yes')}."
        )
    return " ".join(told)


def _count(rows: Sequence[Mapping[str, Any]], column: str, word: str) -> int:
    return sum(each[column] == word for each in rows)


def main() -> None:
    stored = stored_table("concepts")
    if stored is None:
        raise SystemExit("There is no stored table of concepts: python -m bench.concepts measures it.")
    found = compared(stored["rows"])
    keep(
        "acav", "What A-CAV gains over TCAV, and what it does not", found, command="python -m bench.acav",
        n=f"{stored['n']}; intervals of the mean by Student's t, over the random sets, paired",
        seeds=stored["seeds"], machine=stored["hardware"],
        note=f"Gain: recall at 5 % FPR less TCAV's with the same random set; its interval speaks of other random sets, "
        f"not of other pictures of the concept. Deviation: of the recall at the vector's own threshold. "
        f"{verdict(found)}",
        units={"gain at 5 % FPR": "%", "from": "%", "to": "%"},
    )  # fmt: skip


if __name__ == "__main__":
    main()
