"""How a benchmark keeps what it has measured: a table among those that ship with the lab."""

from __future__ import annotations

import importlib.metadata
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.device import hardware
from lab import tables


def machines(cells: Iterable[Mapping[str, Any]], counted: str) -> str:
    """What measured the cells, by their "hardware", and how many each: "NVIDIA H200: 7 nets"."""
    found = Counter(cell["hardware"] for cell in cells)
    return ", ".join(f"{name}: {count} {counted}" for name, count in found.most_common())


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
    machine: str = "",
) -> Path:
    """Write lab/stored/tables/<name>.json with hardware and versions; returns the path.

    n : what was counted; machine : what measured it, where that is not this machine
    """
    result = {
        "title": title,
        "command": command,
        "n": n,
        "seeds": seeds,
        "hardware": machine or hardware(),
        "versions": {package: importlib.metadata.version(package) for package in ("torch", "streamlit")},
        "note": note,
        "units": units or {},
        "rows": rows,
    }
    tables.TABLES.mkdir(exist_ok=True)
    path = tables.TABLES / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
