"""Where each defense stands over the eight standard attacks, from the scoreboard's stored runs.

    python -m bench.scoreboard

It computes no run: `perturb sweep recipes/scoreboard-cifar10.json --store bench/results/cells/scoreboard-cifar10.jsonl`
fills the cells, and goes on where it was stopped. The table goes to bench/results/scoreboard.json.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

from bench.report import keep
from lab import scoreboard, store
from lab.scoreboard import Board, Cell, Cells

ATTACKS = ("badnets", "blended", "sig", "lowfrequency", "ssba", "trojannn", "wanet", "inputaware")
"""The standard protocol's eight."""

PICTURES = 1000
"""Test images behind a cell, at most; so many stand in the recipes of the sweeps."""


def only(board: Board, attacks: Iterable[str], defenses: Iterable[str] | None = None) -> Board:
    """`board` with these attacks alone, and with these defenses alone where they are named, in the board's order."""
    met, kept = set(attacks), set(board.defenses if defenses is None else defenses)
    return Board(
        board.data,
        {attack: model for attack, model in board.attacks.items() if attack in met},
        {name: defense for name, defense in board.defenses.items() if name in kept},
        board.n,
    )


def rows(cells: Cells) -> list[dict[str, Any]]:
    """A row for each defense over all attacks, the best rank first; ASR and ACC lost with one mean for each seed."""
    lines = []
    for one in scoreboard.standings(cells):
        own = [cell for (defense, _), cell in cells.items() if defense == one.defense]
        low, high = one.interval or (None, None)
        lines.append(
            {"defense": one.defense, "ASR": by_seed(own, lambda of: of["after/asr"]),
             "ACC lost": by_seed(own, lambda of: of["before/acc"] - of["after/acc"]), "DER": one.der,
             "DER from": low, "DER to": high, "rank": one.rank, "attacks": one.attacks, "runs": one.runs}
        )  # fmt: skip
    return lines


def by_seed(cells: list[Cell], value: Callable[[dict[str, float]], float]) -> list[float]:
    """The mean over the cells of what `value` takes from a run's figures, for each seed that all of them have."""
    return [fmean(value(cell.rows[seed]["figures"]) for cell in cells) for seed in shared(cells)]


def shared(cells: Iterable[Cell]) -> list[int]:
    """The seeds that all of the cells have."""
    return sorted(set.intersection(*(set(cell.rows) for cell in cells)))


def runs_behind(cells: Cells) -> list[dict[str, Any]]:
    """The stored runs behind all cells."""
    return [row for cell in cells.values() for row in cell.rows.values()]


def complete(found: list[dict[str, Any]]) -> dict[tuple[str, str], Cells]:
    """By data set and rule: the cells of each board that is full, with the seeds that all of them have."""
    boards: dict[tuple[str, str], Cells] = {}
    for data in scoreboard.data_sets():
        for rule in scoreboard.SELECTIONS:
            board = only(scoreboard.board(data, PICTURES, rule), ATTACKS)
            cells = scoreboard.fill(board, found)
            if board.attacks and len(cells) == len(board.attacks) * len(board.defenses) and (same := alike(cells)):
                boards[data, rule] = same
    return boards


def alike(cells: Cells) -> Cells:
    """The cells with only the seeds that all of them have: one that some defenses have not met would favour or burden
    the others. None at all where they share no seed."""
    seeds = shared(cells.values())
    return {place: Cell({seed: cell.rows[seed] for seed in seeds}) for place, cell in cells.items()} if seeds else {}


def main() -> None:
    boards = complete(store.stored())
    if not boards:
        raise SystemExit("No board is complete yet; fill it with perturb sweep first.")
    behind = [row for cells in boards.values() for row in runs_behind(cells)]
    clean, triggered = ({row["counts"][f"after/{figure}"] for row in behind} for figure in ("acc", "asr"))
    keep(
        "scoreboard",
        "Every repair over the eight attacks",
        [{"data": data, "chosen by": rule} | row for (data, rule), cells in boards.items() for row in rows(cells)],
        command="python -m bench.scoreboard",
        n=f"n = {max(clean):,} test images for ACC, {min(triggered):,} triggered ones for ASR; as many runs as the "
        "table says, over the seeds that are stored",
        seeds=sorted({row["recipe"]["seed"] for row in behind}),
        units={"ACC lost": "%", "ASR": "%"},
        note="ASR and ACC lost (in points): mean over the attacks, for each seed that all of them have. DER from, to: "
        "95 % t-interval, the attacks being the sample. rank: mean over the attacks of the rank by DER. clean: "
        "thresholds chosen from clean images; oracle: by the attack success itself, which no defender knows; a defense "
        "that chooses nothing is the same under both. Every defense as the lab presets it, tuned on scenes-badnets "
        "alone.",
    )


if __name__ == "__main__":
    main()
