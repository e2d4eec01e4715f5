"""The project as its own tests see it: its files, the examples in its documents, a Python process with its code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ours() -> list[Path]:
    """Every file of the project: what git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs a git checkout to know which files are the project's")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def example(file: str, name: str) -> str:
    """The code block behind a document's mark of that name."""
    found = re.search(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", (ROOT / file).read_text(), re.DOTALL)
    assert found, f"{file} has no example {name!r}"
    return found[1]


def python(*arguments: str, cwd: Path = ROOT, **environment: str) -> str:
    """What a Python process with one thread prints; it must end well."""
    variables = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=variables, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
