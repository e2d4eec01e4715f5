"""The methods and the results as text for a terminal."""

from __future__ import annotations

import inspect
import statistics
from typing import Any

from core.knobs import Knob, Method, knobs_of
from lab import methods
from lab.results import Result


def catalogue() -> list[dict[str, Any]]:
    """Every registered method as JSON data: name, kind, first sentence, and its knobs."""
    return [
        {
            "method": cls.__name__,
            "kind": kind,
            "about": first_sentence(cls),
            "knobs": [_knob(k) for k in knobs_of(cls)],
        }
        for kind, members in methods.groups().items()
        for cls in members
    ]


def first_sentence(cls: type[Method]) -> str:
    """The first paragraph of a method's docstring on one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def as_text(entries: list[dict[str, Any]]) -> str:
    """The catalogue for people: a method, then a line for each knob."""
    lines = []
    for entry in entries:
        lines.append(f"{entry['method']}  ({entry['kind']})  {entry['about']}")
        for knob in entry["knobs"]:
            symbol = f" ({knob['symbol']})" if knob["symbol"] else ""
            paper = "" if knob["paper"] is None else f", paper {_short(knob['paper'])}"
            head = f"    {knob['name']}{symbol} = {_short(knob['default'])}"
            lines.append(f"{head}  {_range(knob)}{paper}  {knob['help']}")
        lines.append("")
    return "\n".join(lines).rstrip()


def table(results: list[Result]) -> str:
    """The figures of the same recipe under several seeds: mean, spread (standard deviation) and each, with n.
    A figure that only some of the runs have, such as that of a learning rate that one of them tried, is told of those.

    The scores that the experiment is judged by stand first; below the table, what came out of each run.
    """
    first = results[0]
    model = first.recipe.model if isinstance(first.recipe.model, str) else "the result of a recipe"
    seeds = [result.recipe.seed for result in results]
    title = f"{type(first.recipe.method).__name__} on {model}, data {first.recipe.data}, {first.device}"
    head = ["figure", "mean", "spread", *(f"seed {seed}" for seed in seeds), "n"]
    rows = [head]
    scored = [score.figure for score in first.recipe.kind.scores if score.figure in first.figures]
    for name in dict.fromkeys([*scored, *(name for result in results for name in result.figures)]):
        values = [result.figures[name] for result in results if name in result.figures]
        spread = f"{statistics.stdev(values):.4f}" if len(values) > 1 else "-"
        each = [f"{result.figures[name]:.4f}" if name in result.figures else "-" for result in results]
        rows.append([name, f"{statistics.fmean(values):.4f}", spread, *each, str(first.counts.get(name, ""))])
    rows.append(["seconds", *_times(results), ""])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{name}: {text}" for name, text in first.notes.items()]
    said = [f"seed {one.recipe.seed}: {one.conclusion.text}" for one in results if one.conclusion is not None]
    return "\n".join([title, *lines, *notes, *said])


def _times(results: list[Result]) -> list[str]:
    seconds = [result.seconds for result in results]
    spread = f"{statistics.stdev(seconds):.1f}" if len(seconds) > 1 else "-"
    return [f"{statistics.fmean(seconds):.1f}", spread, *(f"{value:.1f}" for value in seconds)]


def _knob(k: Knob) -> dict[str, Any]:
    return {
        "name": k.name, "type": k.kind.__name__.lower(), "default": _plain(k.default), "low": k.low, "high": k.high,
        "step": k.step, "choices": None if k.choices is None else list(k.choices), "paper": _plain(k.paper),
        "symbol": k.symbol, "help": k.help,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return methods.to_dict(value) if isinstance(value, Method) else value


def _range(knob: dict[str, Any]) -> str:
    if knob["choices"]:
        return "{" + ", ".join(knob["choices"]) + "}"
    if knob["low"] is None and knob["high"] is None:
        return knob["type"]
    low, high = ("" if bound is None else f"{bound:g}" for bound in (knob["low"], knob["high"]))
    return f"[{low}, {high}]"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['method']}(…)"
    return f"{value:g}" if isinstance(value, float) else str(value)
