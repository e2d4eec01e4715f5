"""The wheel: built, installed outside the checkout, and used there: a paper's table, the scoreboard, the app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.drive import free_port
from tests.support.project import ROOT, ours
from tests.support.project import python as run_python

FILLED = """
import json, core, lab, models, recipes, ui
from lab import run_log, scoreboard
boards = {data: scoreboard.board(data, 1000) for data in scoreboard.data_sets()}
rows = run_log.stored()
print(json.dumps({
    "files": [package.__file__ or list(package.__path__)[0] for package in (core, lab, models, ui, recipes)],
    "new": str(run_log.own_folder()),
    "cells": {data: len(scoreboard.fill(board, rows)) for data, board in boards.items()},
}))
"""

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("wheel")]
Python = Callable[..., subprocess.Popen[str]]


def pip(*arguments: str | Path) -> None:
    """pip without a network; a failure shows the end of what it said."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the wheel is installed, without its dependencies; built from a copy of the checkout."""
    files = [path.relative_to(ROOT) for path in ours()]
    base = tmp_path_factory.mktemp("wheel")
    for name in files:
        if name.parts[0] not in ("tests", "bench", "assets"):
            (base / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (base / "source" / name).write_bytes((ROOT / name).read_bytes())
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", base / "wheels", base / "source")
    [wheel] = (base / "wheels").glob("*.whl")
    pip("install", "--no-deps", "--no-index", "--target", base / "installed", wheel)
    return base / "installed"


@pytest.fixture
def python(installed: Path, tmp_path: Path) -> Python:
    """Starts Python in an empty folder, where only the installed wheel can be imported."""
    environment = {
        **os.environ, "PYTHONPATH": str(installed), "PERTURB_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'history.db'}", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


def said(process: subprocess.Popen[str]) -> str:
    """What a process printed; it must end well."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-2000:]
    return out


def test_it_holds_what_the_lab_needs(installed: Path) -> None:
    needed = ["app.py", ".streamlit/config.toml", "pages/_router.py", "recipes/defend.json", "lab/papers/tsbd.json",
              "lab/stored/scoreboard-scenes.jsonl", "lab/stored/tables/neurons.json"]  # fmt: skip
    zoo = [path.relative_to(ROOT) for path in (ROOT / "models" / "zoo").glob("*/*.safetensors")]
    assert not [name for name in [*needed, *zoo] if not (installed / name).is_file()]
    assert not (installed / "tests").exists() and not (installed / "bench").exists()


def test_a_paper_prints_what_it_prints_in_the_checkout(python: Python, tmp_path: Path) -> None:
    command = ["-m", "lab.cli", "paper", "tsbd"]
    here = run_python(*command, PERTURB_CACHE=str(tmp_path / "cache"))
    there = said(python(*command))
    assert "| TSBD |" in there and "### What each ranking finds" in there
    assert here == there


def test_the_scoreboard_is_filled_from_the_wheel(installed: Path, python: Python, tmp_path: Path) -> None:
    found = json.loads(said(python("-c", FILLED)))
    assert all(Path(file).is_relative_to(installed) for file in found["files"]), found["files"]
    assert set(found["cells"]) >= {"scenes", "cifar10"} and found["cells"]["scenes"] > 0 < found["cells"]["cifar10"]
    assert Path(found["new"]) == tmp_path / "cache" / "runs", "new runs are not written into the package"


def test_the_app_is_served_from_the_wheel(python: Python) -> None:
    port = free_port()
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    server = python("-m", "lab.cli", "app", "--", *options)
    try:
        health = json.loads(answer(f"http://127.0.0.1:{port}/healthz", server))
        assert health["status"] == "ok"
        assert "<title>Streamlit</title>" in answer(f"http://127.0.0.1:{port}/", server)
    finally:
        server.terminate()
        _, err = server.communicate(timeout=60)
    assert "Traceback" not in err, err[-2000:]


def answer(url: str, server: subprocess.Popen[str], wait: float = 120) -> str:
    """What the server answers, as soon as it does."""
    end = time.monotonic() + wait
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as found:
                return found.read().decode()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer; exit status {server.poll()}")
