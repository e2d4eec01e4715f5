"""Each paper's table: the published protocol beside what was done here, and our figures from stored runs.

    perturb paper flareon|tsbd|reactivation|weight-backdoor [--run]

`<name>.json` beside this file holds the protocol, as far as released code and abstracts give it, and the runs that our
table is made of, written as in a sweep file. No result cell of these papers is printed: their tables were not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import report
from bench.scoreboard import alike, only, runs_behind
from bench.scoreboard import rows as standings
from core.knobs import Method, knobs_of
from lab import methods, store, sweep
from lab.recipes import Recipe
from lab.scoreboard import Board, board, fill

HERE = Path(__file__).parent
NAMES = sorted(file.stem for file in HERE.glob("*.json"))
Row = dict[str, Any]


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
        wanted = _board(table)
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


def _board(table: dict[str, Any]) -> Board:
    wanted = table["board"]
    return only(board(wanted["data"], wanted["n"], wanted["selection"]), wanted["attacks"], wanted["defenses"])


def run(name: str) -> Iterator[tuple[int, int, Row]]:
    """Carry out what is not stored, and keep it beside the shipped results: place, how many, and each row.

    Stopped and started again, it goes on where it was.
    """
    tables = [planned(table) for table in read(name)["tables"]]
    recipes = list(dict.fromkeys(recipe for table in tables for recipe in table.recipes))
    past = store.Store(store.CELLS / f"paper-{name}.jsonl", also=store.stored())
    for place, row in enumerate(sweep.sweep(recipes, past=past), start=1):
        yield place, len(recipes), row


def text(name: str, rows: list[Row]) -> str:
    """The paper's page as Markdown: source, protocol, our tables from `rows`, and what is missing."""
    paper = read(name)
    known = {json.dumps(row["recipe"], sort_keys=True): row for row in rows}
    parts = [f"# {paper['title']}", paper["source"], "## Protocol", report.table(paper["protocol"], {})]
    if "method" in paper:
        about = methods.find(paper["method"])
        parts += [f"## Knobs of {about.__name__} with a published value", report.table(knobs(about), {})]
    parts.append(paper["gap"])
    for table in paper["tables"]:
        parts += [f"## {table['title']}", *_table(table, known)]
    for result in paper.get("results", []):
        path = report.RESULTS / f"{result}.json"
        found = report.section(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else ""
        parts.append(found or f"Not stored: bench/results/{result}.json.")
    return "\n\n".join(part for part in parts if part)


def knobs(cls: type[Method]) -> list[Row]:
    """A row for each knob whose published value is known: it, and the lab's."""
    return [
        {"knob": k.name, "symbol": k.symbol, "published": str(k.paper), "ours": str(k.default)}
        for k in knobs_of(cls) if k.paper is not None
    ]  # fmt: skip


def _table(table: dict[str, Any], known: dict[str, Row]) -> list[str]:
    """A table, what stands behind it, and what it lacks."""
    plan = planned(table)
    found = {recipe: row for recipe in plan.recipes if (row := known.get(recipe.to_json())) is not None}
    parts: list[str] = []
    if found:
        rows, behind = _compared(table, found) if "board" in table else (_rows(table["figures"], found), found.values())
        units = {column: "%" for column in rows[0] if column not in PLAIN}
        parts += [report.table(rows, units), _behind(list(behind))]
    missing = [recipe for recipe in plan.recipes if recipe not in found]
    if missing:
        names = list(dict.fromkeys(map(label, missing)))
        shown = "; ".join(names[:SHOWN]) + (f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        parts.append(f"Not stored yet: {len(missing)} of {len(plan.recipes)} runs ({shown}). --run computes them.")
    return parts + [f"Cannot be run here: {sentence}" for sentence in plan.refused]


def _compared(table: dict[str, Any], found: dict[Recipe, Row]) -> tuple[list[Row], list[Row]]:
    """The repairs of a board on the seeds that all of them have, where there is one, and the runs behind that."""
    cells = fill(_board(table), found.values())
    cells = alike(cells) or cells
    return standings(cells), runs_behind(cells)


SHOWN = 6
PLAIN = ("run", "defense", "rank", "DER", "DER from", "DER to", "attacks", "runs", "BEC", "AUROC")
"""Columns that are words or plain numbers; all others are shares, printed in percent."""


def _rows(figures: dict[str, str], found: dict[Recipe, Row]) -> list[Row]:
    """A row for each run, with a list over its seeds; a figure that a run does not have is left open.

    Where all figures are from before the run, a row is a model's.
    """
    named = base if all(figure.startswith("before/") for figure in figures) else label
    groups: dict[str, list[Row]] = {}
    for recipe, row in found.items():
        groups.setdefault(named(recipe), []).append(row["figures"])
    return [
        {"run": name} | {column: _several([one[figure] for one in group if figure in one])
                         for figure, column in figures.items()}
        for name, group in groups.items()
    ]  # fmt: skip


def _several(values: list[float]) -> list[float] | None:
    return values or None


def label(recipe: Recipe) -> str:
    """A run in words, without its seed: "ReActivation(eps=0.05) on TSBD on cifar10-badnets"."""
    changed = [f"{k.name}={getattr(recipe.method, k.name)}" for k in knobs_of(recipe.method)
               if getattr(recipe.method, k.name) != k.default]  # fmt: skip
    return f"{type(recipe.method).__name__}{'(' + ', '.join(changed) + ')' if changed else ''} on {base(recipe)}"


def base(recipe: Recipe) -> str:
    """What a run starts from, in words: a model's name, or another run."""
    return label(recipe.model) if isinstance(recipe.model, Recipe) else recipe.model.split(":", 1)[-1]


def _behind(rows: list[Row]) -> str:
    """n, seeds, hardware and torch behind a table."""
    counted = sorted({n for row in rows for name, n in row["counts"].items() if name.endswith("acc")})
    triggered = sorted({n for row in rows for name, n in row["counts"].items() if "asr" in name})
    seeds = sorted({row["recipe"]["seed"] for row in rows})
    parts = [f"n = {_or(counted)} for ACC" if counted else "", f"{_or(triggered)} for ASR and RA" if triggered else ""]
    parts.append(f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}")
    parts[-1] += " (mean ± standard deviation)" if len(seeds) > 1 else ""
    parts += sorted({row.get("hardware") or row["device"] for row in rows})
    parts.append("torch " + ", ".join(sorted({row["versions"].get("torch", "?") for row in rows})))
    return "; ".join(part for part in parts if part) + "."


def _or(numbers: list[int]) -> str:
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
