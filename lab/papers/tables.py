"""A paper's page: the published protocol beside what was done here, and our figures from stored runs."""

from __future__ import annotations

import json
from typing import Any

from core.knobs import Method, knobs_of
from lab import methods
from lab.papers.planning import board_of, planned, read
from lab.recipes import Recipe
from lab.run_log import Row
from lab.scoreboard import fill, on_shared_seeds, runs_behind
from lab.scoreboard import rows as standings
from lab.tables import section, stored_table, table


def text(name: str, rows: list[Row]) -> str:
    """The paper's page as Markdown: source, protocol, our tables from `rows`, and what is missing."""
    paper = read(name)
    known = {json.dumps(row["recipe"], sort_keys=True): row for row in rows}
    parts = [f"# {paper['title']}", paper["source"], "## Protocol", table(paper["protocol"], {})]
    if "method" in paper:
        about = methods.find(paper["method"])
        if found := knobs(about):
            parts += [f"## Knobs of {about.__name__} with a published value", table(found, {})]
    parts.append(paper["gap"])
    for one in paper["tables"]:
        parts += [f"## {one['title']}", *_table(one, known)]
    for result in paper.get("results", []):
        kept = stored_table(result)
        parts.append(section(kept) if kept else f"Not stored: the table {result}.")
    return "\n\n".join(part for part in parts if part)


def knobs(cls: type[Method]) -> list[Row]:
    """A row for each knob whose published value is known: it, and the lab's."""
    return [
        {"knob": k.name, "symbol": k.symbol, "published": str(k.paper), "ours": str(k.default)}
        for k in knobs_of(cls) if k.paper is not None
    ]  # fmt: skip


def _table(of: dict[str, Any], known: dict[str, Row]) -> list[str]:
    """A table, what stands behind it, and what it lacks."""
    plan = planned(of)
    found = {recipe: row for recipe in plan.recipes if (row := known.get(recipe.to_json())) is not None}
    parts: list[str] = []
    if found:
        rows, behind = _compared(of, found) if "board" in of else (_rows(of["figures"], found), found.values())
        units = {column: "%" for column in rows[0] if column not in PLAIN} | of.get("units", {})
        parts += [table(rows, units), _behind(list(behind))]
    missing = [recipe for recipe in plan.recipes if recipe not in found]
    if missing:
        names = list(dict.fromkeys(map(label, missing)))
        shown = "; ".join(names[:SHOWN]) + (f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        parts.append(f"Not stored yet: {len(missing)} of {len(plan.recipes)} runs ({shown}). --run computes them.")
    return parts + [f"Cannot be run here: {sentence}" for sentence in plan.refused]


def _compared(of: dict[str, Any], found: dict[Recipe, Row]) -> tuple[list[Row], list[Row]]:
    """The repairs of a board on the seeds that all of them have, where there is one, and the runs behind that."""
    cells = fill(board_of(of), found.values())
    cells = on_shared_seeds(cells) or cells
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
