"""The scoreboard: attacks x defenses from finished runs, and what can be said about a defense over all attacks.

A run fills a cell where its recipe is exactly the cell's: the defense as the lab presets it, the shipped model, the
same number of test images; only the seed is free. Runs that chose by clean images and runs that peeked at the
attack ("oracle") never stand in one table. A defense that chooses nothing is the same under both.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import models
from core.defenses import DEFENSES
from core.knobs import Method, knobs_of
from lab.recipes import Recipe

FIGURES = ("acc", "asr", "ra", "der")
SELECTIONS = ("clean", "oracle")

Cells = dict[tuple[str, str], "Cell"]
"""Cells by (defense, attack)."""


@dataclass(frozen=True)
class Board:
    """What one table compares: the models of one data set by attack, defenses, and how those choose.

    attacks : reference of the model by attack, such as {"badnets": "zoo:scenes-badnets"}
    defenses : defenses by name, as they run on this board
    n : test images each run is scored on, at most
    """

    data: str
    attacks: Mapping[str, str]
    defenses: Mapping[str, Method]
    n: int

    def recipe(self, defense: str, attack: str, seed: int = 0) -> Recipe:
        """The run that a cell holds."""
        return Recipe(self.defenses[defense], self.attacks[attack], self.data, {"n": self.n}, seed)


def board(data: str, n: int, selection: str = "clean") -> Board:
    """The board of a data set: every shipped model with a backdoor to one class, or to any, and every repair.

    All-to-all models are left out: their attack is limited by the model's own accuracy, so that it does not compare.
    """
    if selection not in SELECTIONS:
        raise ValueError(f"selection = {selection!r} is not one of {', '.join(SELECTIONS)}.")
    cards = [card for card in models.available() if card.backdoored and card.ref.startswith(f"zoo:{data}-")]
    attacks = {card.ref.removeprefix(f"zoo:{data}-"): card.ref for card in cards if not _all_to_all(card.recipe)}
    return Board(data, attacks, {cls.__name__: as_selected(cls, selection) for cls in DEFENSES}, n)


def data_sets() -> list[str]:
    """Data sets with shipped backdoored models, Scenes first."""
    named = {card.data for card in models.available() if card.backdoored and card.ref.startswith(f"zoo:{card.data}-")}
    return sorted(named, key=lambda name: (name != "scenes", name))


def _all_to_all(training: Mapping[str, Any]) -> bool:
    poison = training.get("method", {}).get("poison") or {}
    return poison.get("mode") == "all-to-all"


def as_selected(cls: type[Method], selection: str) -> Method:
    """The defense as the lab presets it; with "oracle", where it has that choice, peeking."""
    chosen: dict[str, Any] = {"selection": "oracle"} if selection == "oracle" and peeks(cls) else {}
    return cls(**chosen)


def peeks(cls: type[Method]) -> bool:
    """Whether a defense has a threshold that could be chosen by peeking."""
    return any(k.name == "selection" and "oracle" in (k.choices or ()) for k in knobs_of(cls))


@dataclass(frozen=True)
class Cell:
    """The finished runs of one defense on one attack, by seed."""

    rows: Mapping[int, dict[str, Any]]

    def values(self, figure: str, moment: str = "after") -> list[float]:
        """A figure by seed: "acc", "asr", "ra" (of the moment "after" or "before") or "der"."""
        name = figure if figure == "der" else f"{moment}/{figure}"
        return [row["figures"][name] for row in self.rows.values()]

    def mean(self, figure: str, moment: str = "after") -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.values(figure, moment))

    def spread(self, figure: str) -> float | None:
        """The standard deviation over the seeds, None for a single one."""
        values = self.values(figure)
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def next_seed(self) -> int:
        """The smallest seed that has not been run."""
        return next(seed for seed in range(len(self.rows) + 1) if seed not in self.rows)


def fill(board: Board, rows: Iterable[dict[str, Any]]) -> Cells:
    """The cells that `rows` (oldest first) fill; of two runs with the same seed the later one counts."""
    wanted = {
        _without_seed(board.recipe(defense, attack).to_dict()): (defense, attack)
        for defense in board.defenses
        for attack in board.attacks
    }
    found: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in rows:
        place = wanted.get(_without_seed(row["recipe"]))
        if place is not None and "der" in row["figures"]:
            found.setdefault(place, {})[row["recipe"].get("seed", 0)] = row
    return {place: Cell(dict(sorted(runs.items()))) for place, runs in found.items()}


def _without_seed(recipe: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in recipe.items() if name != "seed"}, sort_keys=True)


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


def t_interval(values: list[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the mean of `values`, kept within [0, 1]; None for fewer than two."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + level) / 2)) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return max(0.0, mean - half), min(1.0, mean + half)
