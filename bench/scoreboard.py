"""Where each defense stands over the eight standard attacks, from the scoreboard's stored runs.

    python -m bench.scoreboard

It computes no run: `perturb sweep recipes/scoreboard-cifar10.json --store lab/stored/scoreboard-cifar10.jsonl`
fills the cells, and goes on where it was stopped. The table goes to lab/stored/tables/scoreboard.json.
"""

from __future__ import annotations

from typing import Any

from bench.keep import keep
from lab import run_log, scoreboard
from lab.scoreboard import Cells, on_shared_seeds, only, rows, runs_behind

ATTACKS = ("badnets", "blended", "sig", "lowfrequency", "ssba", "trojannn", "wanet", "inputaware")
"""The standard protocol's eight."""

PICTURES = 1000
"""Test images behind a cell, at most; so many stand in the recipes of the sweeps."""


def complete(found: list[dict[str, Any]]) -> dict[tuple[str, str], Cells]:
    """By data set and rule: the cells of each board that is full, with the seeds that all of them have."""
    boards: dict[tuple[str, str], Cells] = {}
    for data in scoreboard.data_sets():
        for rule in scoreboard.SELECTIONS:
            board = only(scoreboard.board(data, PICTURES, rule), ATTACKS)
            cells = scoreboard.fill(board, found)
            full = len(board.attacks) * len(board.defenses)
            if full and len(cells) == full and (same := on_shared_seeds(cells)):
                boards[data, rule] = same
    return boards


def main() -> None:
    boards = complete(run_log.stored())
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
        "that looks at no ASR is the same under both. Every defense as the lab presets it, chosen over the "
        "development family of bench/family/nets.py and on scenes-badnets.",
    )


if __name__ == "__main__":
    main()
