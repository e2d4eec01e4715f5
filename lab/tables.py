"""Measured figures as Markdown tables, and those that ship with the lab.

A table is kept as `stored/tables/<name>.json`, which `bench.keep.keep` writes:

    {"title": ..., "command": ..., "n": ..., "seeds": [...], "hardware": ..., "versions": {...}, "note": ...,
     "units": {"ASR": "%"}, "rows": [{"model": "...", "ASR": [0.01, 0.02, 0.0]}, ...]}

A cell is text, a number, or a list with one number per seed (printed as mean ± sample standard deviation).
Unit "%" takes fractions; any other unit ("s", "ms") is printed behind the number.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

TABLES = Path(__file__).resolve().parent / "stored" / "tables"


def stored_table(name: str) -> dict[str, Any] | None:
    """A kept table by its name; None where there is none."""
    path = TABLES / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def cell(value: Any, unit: str = "") -> str:
    """One table cell: text as it is, a number with its unit, a list as mean ± standard deviation."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    values = value if isinstance(value, list) else [value]
    scale, sign, digits = (100, " %", 1) if unit == "%" else (1, f" {unit}" if unit else "", 2)
    if all(isinstance(number, int) for number in values) and unit != "%":
        digits = 0
    text = f"{scale * statistics.fmean(values):,.{digits}f}"
    if len(values) > 1:
        text += f" ± {scale * statistics.stdev(values):.{digits}f}"
    return text + sign


def table(rows: list[dict[str, Any]], units: dict[str, str]) -> str:
    """A Markdown table; the columns are the keys in the order in which they first appear."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numeric = [all(not isinstance(row.get(key), str) for row in rows) for key in columns]
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join("---:" if right else "---" for right in numeric) + "|"]
    lines += ["| " + " | ".join(cell(row.get(key), units.get(key, "")) for key in columns) + " |" for row in rows]
    return "\n".join(lines)


def section(result: dict[str, Any]) -> str:
    """One result as Markdown: title, table, and what stands behind the figures."""
    behind = [result["n"]]
    seeds = result["seeds"]
    if seeds:
        spread = " (mean ± standard deviation)" if len(seeds) > 1 else ""
        behind.append(f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}{spread}")
    behind.append(result["hardware"])
    behind.append("torch " + result["versions"]["torch"])
    parts = [f"### {result['title']}", table(result["rows"], result["units"]), "; ".join(behind) + "."]
    if result["note"]:
        parts.append(result["note"])
    return "\n\n".join([*parts, f"Reproduce: `{result['command']}`"])
