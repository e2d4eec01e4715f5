"""What a bench has measured already: a list of cells in a JSON file, so that it may be stopped and repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "cells"


def read(path: Path) -> list[dict[str, Any]]:
    """The cells of a file; none where there is no file."""
    return json.loads(path.read_text()) if path.exists() else []


def write(path: Path, cells: list[dict[str, Any]]) -> None:
    """Put all cells into a file, in place of what it held; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cells, indent=1) + "\n")


def holds(cells: Iterable[Mapping[str, Any]], **asked: Any) -> bool:
    """Whether a cell has these values."""
    return any(asked.items() <= cell.items() for cell in cells)
