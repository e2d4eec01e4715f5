"""The cells of a scoreboard: which finished runs stand in which, and their mean and spread."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.scoreboard.boards import Board

Cells = dict[tuple[str, str], "Cell"]
"""Cells by (defense, attack)."""


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


def shared_seeds(cells: Iterable[Cell]) -> list[int]:
    """The seeds that all of the cells have."""
    seeds = [set(cell.rows) for cell in cells]
    return sorted(set.intersection(*seeds)) if seeds else []


def runs_behind(cells: Cells) -> list[dict[str, Any]]:
    """The stored runs behind all cells."""
    return [row for cell in cells.values() for row in cell.rows.values()]


def on_shared_seeds(cells: Cells) -> Cells:
    """The cells with only the seeds that all of them have: one that some defenses have not met would favour or burden
    the others. None at all where they share no seed."""
    seeds = shared_seeds(cells.values())
    return {place: Cell({seed: cell.rows[seed] for seed in seeds}) for place, cell in cells.items()} if seeds else {}
