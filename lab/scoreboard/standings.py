"""Where each defense stands over all attacks: means, intervals and ranks."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from core.metrics.intervals import student
from lab.scoreboard.cells import Cell, Cells, shared_seeds


@dataclass(frozen=True)
class Standing:
    """A defense over all attacks.

    der : mean over the attacks of each attack's mean over the seeds
    interval : 95 % t-interval of `der`, the attacks being the sample; None for fewer than two attacks
    rank : mean over the attacks of its rank by DER (1 is best, ties share); None while attacks are missing
    asr, lost : mean ASR that is left, mean accuracy that was given up
    attacks, runs : how many attacks and runs stand behind them
    """

    defense: str
    der: float
    interval: tuple[float, float] | None
    rank: float | None
    asr: float
    lost: float
    attacks: int
    runs: int


def standings(cells: Cells) -> list[Standing]:
    """Every defense that has a cell: the ranked ones first, by rank, then the others by mean DER.

    Ranks compare only what met the same attacks. Those are the attacks that more than half of the defenses have
    met; a defense that lacks one of them has no rank yet.
    """
    defenses = list(dict.fromkeys(defense for defense, _ in cells))
    common = _common(cells, defenses)
    complete = [defense for defense in defenses if common and all((defense, attack) in cells for attack in common)]
    ranks: dict[str, list[float]] = {defense: [] for defense in complete}
    for attack in common:
        scores = {defense: cells[defense, attack].mean("der") for defense in complete}
        for defense, score in scores.items():
            ranks[defense].append(_rank(score, scores.values()))
    table = [_standing(defense, cells, ranks.get(defense, [])) for defense in defenses]
    return sorted(table, key=lambda one: (one.rank is None, one.rank or 0.0, -one.der))


def _common(cells: Cells, defenses: list[str]) -> list[str]:
    """The attacks that more than half of the defenses have met."""
    met: dict[str, int] = {}
    for _, attack in cells:
        met[attack] = met.get(attack, 0) + 1
    return [attack for attack, count in met.items() if 2 * count > len(defenses)]


def _rank(score: float, scores: Iterable[float]) -> float:
    """1 for the highest score; those that are equal share the mean of their places."""
    each = list(scores)
    return 1 + sum(other > score for other in each) + (sum(other == score for other in each) - 1) / 2


def _standing(defense: str, cells: Cells, ranks: list[float]) -> Standing:
    own = [cell for (name, _), cell in cells.items() if name == defense]
    ders = [cell.mean("der") for cell in own]
    return Standing(
        defense,
        statistics.fmean(ders),
        t_interval(ders),
        statistics.fmean(ranks) if ranks else None,
        statistics.fmean(cell.mean("asr") for cell in own),
        statistics.fmean(cell.mean("acc", "before") - cell.mean("acc") for cell in own),
        len(own),
        sum(len(cell.rows) for cell in own),
    )


def t_interval(values: list[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the mean of `values`, kept within [0, 1]; None for fewer than two."""
    interval = student(values)
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))


def rows(cells: Cells) -> list[dict[str, Any]]:
    """A row for each defense over all attacks, the best rank first; ASR and ACC lost with one mean for each seed."""
    lines = []
    for one in standings(cells):
        own = [cell for (defense, _), cell in cells.items() if defense == one.defense]
        low, high = one.interval or (None, None)
        lines.append(
            {"defense": one.defense, "ASR": by_seed(own, lambda of: of["after/asr"]),
             "ACC lost": by_seed(own, lambda of: of["before/acc"] - of["after/acc"]), "DER": one.der,
             "DER from": low, "DER to": high, "rank": one.rank, "attacks": one.attacks, "runs": one.runs}
        )  # fmt: skip
    return lines


def by_seed(cells: list[Cell], value: Callable[[dict[str, float]], float]) -> list[float] | None:
    """The mean over the cells of what `value` takes from a run's figures, for each seed that all of them have; None
    where they have none in common."""
    seeds = shared_seeds(cells)
    return [statistics.fmean(value(cell.rows[seed]["figures"]) for cell in cells) for seed in seeds] or None
