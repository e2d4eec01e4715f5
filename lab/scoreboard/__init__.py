"""The scoreboard: attacks x defenses from finished runs, and what can be said about a defense over all attacks.

A run fills a cell where its recipe is exactly the cell's: the defense as the lab presets it, the shipped model, the
same number of test images; only the seed is free. Runs that chose by clean images and runs that peeked at the
attack ("oracle") never stand in one table. A defense that chooses nothing is the same under both.
"""

from lab.scoreboard.boards import SELECTIONS, Board, as_selected, board, data_sets, only, peeks
from lab.scoreboard.cells import Cell, Cells, fill, on_shared_seeds, runs_behind, shared_seeds
from lab.scoreboard.peeking import order, shared
from lab.scoreboard.standings import Standing, rows, standings, t_interval

__all__ = [
    "SELECTIONS", "Board", "Cell", "Cells", "Standing", "as_selected", "board", "data_sets", "fill", "on_shared_seeds",
    "only", "order", "peeks", "rows", "runs_behind", "shared", "shared_seeds", "standings", "t_interval",
]  # fmt: skip
