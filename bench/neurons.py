"""Why a repair works or fails: the share of the trigger's channels that its ranking finds, beside the ASR it leaves.

    python -m bench.neurons [--seeds 1]

On the CIFAR-10 model of each of the eight attacks, the channels are ranked by TAC, the oracle, and by what TSBD, ANP,
CLP and RNP say of them from clean pictures. A run is kept in lab/stored/neurons.jsonl as soon as it has
ended, so the command may be stopped and repeated. The ASR is that of the scoreboard's stored runs with thresholds
chosen from clean images. The table goes to lab/stored/tables/neurons.json.
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.keep import keep
from bench.scoreboard import ATTACKS
from bench.scoreboard import PICTURES as SCORED
from lab import run_log, scoreboard, sweep
from lab.channel_rankings import MAKERS, PICTURES, ranked
from lab.recipes import Recipe
from lab.scoreboard import Board, Cells, only

DATA, SHARE = "cifar10", 0.1


def row(board: Board, attack: str, found: dict[Recipe, dict[str, Any]], cells: Cells, seeds: int) -> dict[str, Any]:
    """An attack: for each ranking what it finds and what its repair leaves, and last what plain fine-tuning leaves."""
    line: dict[str, Any] = {"attack": attack}
    for kind, method in MAKERS.items():
        repair = type(method).__name__
        runs = [found.get(ranked(kind, board.attacks[attack], DATA, seed=seed)) for seed in range(seeds)]
        line[f"{repair} finds"] = [run["figures"][f"overlap/{kind}/{SHARE:g}"] for run in runs if run] or None
        line[f"{repair} leaves"] = left(cells, repair, attack)
    return line | {"FineTuning leaves": left(cells, "FineTuning", attack)}


def left(cells: Cells, repair: str, attack: str) -> list[float] | None:
    """The ASR after a repair, for each seed that is stored."""
    cell = cells.get((repair, attack))
    return None if cell is None else cell.values("asr")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, … of the rankings (default 1)")
    seeds = parser.parse_args().seeds
    board = only(scoreboard.board(DATA, SCORED), ATTACKS)
    recipes = [
        ranked(kind, model, DATA, seed=seed)
        for seed in range(seeds) for model in board.attacks.values() for kind in MAKERS
    ]  # fmt: skip
    for done in sweep.sweep(recipes, past=run_log.RunLog(run_log.SHIPPED / "neurons.jsonl")):
        print(done["recipe"]["model"]["model"], done.get("error") or done["figures"], flush=True)
    rows = {Recipe.from_dict(one["recipe"]): one for one in run_log.stored()}
    publish(board, rows, scoreboard.fill(board, rows.values()), seeds)


def publish(board: Board, found: dict[Recipe, dict[str, Any]], cells: Cells, seeds: int) -> None:
    """The table that bench/report.py prints."""
    table = [row(board, attack, found, cells, seeds) for attack in board.attacks]
    keep(
        "neurons",
        "What each ranking finds of the trigger's channels, and what its repair leaves",
        table,
        command=f"python -m bench.neurons --seeds {seeds}",
        n=f"{PICTURES} test images for TAC; n = {SCORED:,} test images behind the ASR; rankings",
        seeds=list(range(seeds)),
        units={column: "%" for column in table[0] if column != "attack"},
        note="finds: share of the tenth of all channels that the trigger moves most (TAC, which no defender knows) "
        "that is among the tenth that the repair's ranking suspects most; chance finds 10 %. leaves: ASR after the "
        "whole repair as the lab presets it, over the scoreboard's stored seeds. Plain fine-tuning, which ranks "
        "nothing, is the control.",
    )


if __name__ == "__main__":
    main()
