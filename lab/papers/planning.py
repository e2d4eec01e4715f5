"""A paper's file and the runs that its tables are made of; carrying out those that are not stored yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import run_log, sweep
from lab.recipes import Recipe
from lab.scoreboard import Board, board, only

HERE = Path(__file__).parent
NAMES = sorted(file.stem for file in HERE.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """What is known of a paper; ValueError lists those there are."""
    if name not in NAMES:
        raise ValueError(f"There is no table of a paper {name!r}; there are {', '.join(NAMES)}.")
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Planned:
    """The runs of one table: those that can be carried out here, and a sentence for each that cannot."""

    recipes: list[Recipe]
    refused: list[str]


def planned(table: dict[str, Any]) -> Planned:
    """The recipes of a table, chains included; a model or method that is not there is a sentence, not an end."""
    recipes: list[Recipe] = []
    refused: list[str] = []
    for one in table.get("runs", []):
        try:
            recipes += list(_recipes(one))
        except ValueError as error:
            refused.append(str(error))
    if "board" in table:
        wanted = board_of(table)
        recipes += [
            wanted.recipe(defense, attack, seed)
            for seed in table["board"]["seeds"] for attack in wanted.attacks for defense in wanted.defenses
        ]  # fmt: skip
        lacking = [attack for attack in table["board"]["attacks"] if attack not in wanted.attacks]
        if lacking:
            refused.append(f"No shipped model for {', '.join(lacking)}.")
    return Planned(list(dict.fromkeys(recipes)), refused)


def _recipes(runs: dict[str, Any]) -> Iterator[Recipe]:
    """The points of a grid; with "after", on the result of each point of that grid, with the same seed."""
    if "after" not in runs:
        yield from sweep.crossed(runs["recipe"], runs["grid"])
        return
    for inner in _recipes(runs["after"]):
        yield from sweep.crossed(runs["recipe"] | {"model": inner.to_dict(), "seed": inner.seed}, runs["grid"])


def board_of(table: dict[str, Any]) -> Board:
    wanted = table["board"]
    return only(board(wanted["data"], wanted["n"], wanted["selection"]), wanted["attacks"], wanted["defenses"])


def run(name: str, executor: Executor | None = None) -> Iterator[tuple[int, int, run_log.Row]]:
    """Carry out what is not stored, here or on an executor, and keep it (`lab.run_log.own_folder`): place, how many,
    and each row.

    Stopped and started again, it goes on where it was.
    """
    tables = [planned(table) for table in read(name)["tables"]]
    recipes = list(dict.fromkeys(recipe for table in tables for recipe in table.recipes))
    past = run_log.RunLog(run_log.own_folder() / f"paper-{name}.jsonl", also=run_log.stored())
    for place, row in enumerate(sweep.sweep(recipes, executor, past), start=1):
        yield place, len(recipes), row
