"""Measured figures: how a benchmark keeps them, and how they get into README.md.

    python -m bench.report            write the tables between the README's two markers
    python -m bench.report --print    print them

A benchmark calls `keep(...)`, which writes bench/results/<name>.json:

    {"title": ..., "command": ..., "n": ..., "seeds": [...], "hardware": ..., "versions": {...}, "note": ...,
     "units": {"ASR": "%"}, "rows": [{"model": "...", "ASR": [0.01, 0.02, 0.0]}, ...]}

A cell is text, a number, or a list with one number per seed (printed as mean ± sample standard deviation).
Unit "%" takes fractions; any other unit ("s", "ms") is printed behind the number.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import statistics
from pathlib import Path
from typing import Any

from core.device import hardware

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
ORDER = ["zoo", "scoreboard", "neurons", "tsbd", "flareon", "regional", "live", "speed"]


def keep(
    name: str,
    title: str,
    rows: list[dict[str, Any]],
    *,
    command: str,
    n: str,
    seeds: list[int],
    units: dict[str, str] | None = None,
    note: str = "",
) -> Path:
    """Write bench/results/<name>.json with hardware and versions; returns the path. `n` says what was counted."""
    result = {
        "title": title,
        "command": command,
        "n": n,
        "seeds": seeds,
        "hardware": hardware(),
        "versions": {package: importlib.metadata.version(package) for package in ("torch", "streamlit")},
        "note": note,
        "units": units or {},
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return path


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


def report() -> str:
    """All sections in their order, those that ORDER does not know at the end."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    names = [name for name in ORDER if name in found] + [name for name in found if name not in ORDER]
    return "\n\n".join(section(found[name]) for name in names)


def fill(text: str, body: str) -> str:
    """`text` with `body` between its markers."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{rest.split(END)[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the measured figures into README.md.")
    parser.add_argument("--print", action="store_true", help="print them instead")
    body = report()
    if parser.parse_args().print:
        print(body)
        return
    readme = ROOT / "README.md"
    readme.write_text(fill(readme.read_text(), body))


if __name__ == "__main__":
    main()
