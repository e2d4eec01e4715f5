"""Sweeps: grids, resuming from a file, and runs that fail, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from core.defenses import CLP, DEFENSES, TSBD, FineTuning
from core.runs import Progress
from lab import sweep
from lab.cli import main
from lab.errors import sentence
from lab.recipes import Recipe
from lab.results import Result
from lab.run_log import RunLog
from lab.scoreboard import peeks

EXECUTORS: dict[str, Callable[[], AbstractContextManager[Executor | None]]] = {
    "serial": nullcontext,
    "threads": lambda: ThreadPoolExecutor(2),
}
MEMORY = "The run needs more memory than there is; choose fewer images or a smaller model."


def test_a_star_stands_for_all_that_fit() -> None:
    base = {"model": "zoo:x", "data": "scenes"}
    found = sweep.crossed(base, {"method": [{"method": "*", "selection": "oracle"}, {"method": "CLP"}]})
    assert {type(one.method) for one in found} == {cls for cls in DEFENSES if peeks(cls)} | {CLP}
    assert all(getattr(one.method, "selection", "oracle") == "oracle" for one in found)
    ratios = sweep.crossed(base, {"neuron_ratio": [0.05, 0.1], "method": [{"method": "TSBD", "steps": 10}]})
    assert [one.method for one in ratios] == [TSBD(neuron_ratio=ratio, steps=10) for ratio in (0.05, 0.1)]
    for grid, said in (({"method": [{"method": "*", "colour": 1}]}, "knobs: colour"), ({"model": ["zoo:no-*"]}, "no-"),
                       ({"seed": []}, "object of lists")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            sweep.crossed(base, grid)


@pytest.mark.usefixtures("small")
def test_a_sweep_into_a_file_goes_on_where_it_was_broken_off(tiny_model: str, tmp_path: Path, capsys: Any) -> None:
    """The second cell is interrupted and the file's last line is cut: the first and third cell are not run again."""
    cells = tmp_path / "new" / "cells.jsonl"
    base = {"method": {"method": "FineTuning", "steps": 1, "batch_size": 8}, "model": tiny_model, "inputs": {"n": 10}}
    file = tmp_path / "sweep.json"
    file.write_text(json.dumps({"recipe": base, "grid": {"seed": [0, 1, 2]}}))
    ran: list[int] = []
    real = sweep.run_row

    def once(text: str) -> dict[str, Any]:
        ran.append(json.loads(text)["seed"])
        if len(ran) == 2:
            raise KeyboardInterrupt
        return real(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "run_row", once)
        assert main(["sweep", str(file), "--store", str(cells)]) == 130
        with cells.open("a") as half:
            half.write('{"key": "cut o')
        assert main(["sweep", str(file), "--store", str(cells)]) == 0
        assert ran == [0, 1, 1, 2]
        capsys.readouterr()
        assert main(["sweep", str(file), "--store", str(cells)]) == 0
        assert ran == [0, 1, 1, 2]
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [one["known"] for one in rows] == [True] * 3 and [one["recipe"]["seed"] for one in rows] == [0, 1, 2]
        assert main(["sweep", str(file), "--store", str(cells), "--fresh"]) == 0
        assert ran == [0, 1, 1, 2, 0, 1, 2]
    assert len(RunLog(cells).rows()) == 3 and all(one["hardware"] for one in RunLog(cells).rows())


@pytest.mark.usefixtures("small")
def test_a_recipe_that_cannot_be_run_does_not_end_the_sweep(tiny_model: str, tmp_path: Path) -> None:
    good = Recipe(FineTuning(steps=1, batch_size=8), tiny_model, inputs={"n": 10})
    rows = list(sweep.sweep([good.replace(model="zoo:no-such-model"), good], past=RunLog(tmp_path / "cells.jsonl")))
    assert "no-such-model" in rows[0]["error"] and rows[1]["figures"]
    assert len(RunLog(tmp_path / "cells.jsonl").rows()) == 1


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tiny_model: str) -> Callable[[BaseException], list[Recipe]]:
    """Three recipes of which the second, seed 1, raises what the test gives."""

    def recipes(error: BaseException) -> list[Recipe]:
        def run(recipe: Recipe) -> Any:
            yield Progress("tune", 1, 2)
            if recipe.seed == 1:
                raise error
            return Result(recipe, {"before/acc": 0.9, "after/acc": 0.5})

        monkeypatch.setattr(Recipe, "run", run)
        return [Recipe(FineTuning(), tiny_model, seed=seed) for seed in range(3)]

    return recipes


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("The picture is too wide."), "The picture is too wide."),
        (RuntimeError("layer9"), "unexpected RuntimeError"),
        (ZeroDivisionError(), "unexpected ZeroDivisionError"),
        (MemoryError(), MEMORY),
        (torch.OutOfMemoryError(), MEMORY),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_run_that_fails_ends_its_own_cell_only(
    executor: str, error: Exception, said: str, failing: Any, tmp_path: Path
) -> None:
    log = RunLog(tmp_path / "cells.jsonl")
    with EXECUTORS[executor]() as pool:
        rows = list(sweep.sweep(failing(error), pool, log))
    by_seed = {row["recipe"]["seed"]: row for row in rows}
    assert len(rows) == 3 and said in by_seed[1]["error"] and set(by_seed[1]) == {"recipe", "error"}
    assert "layer9" not in by_seed[1]["error"] and Recipe.from_dict(by_seed[1]["recipe"]).seed == 1
    assert all(by_seed[seed]["figures"] for seed in (0, 2))
    assert {row["recipe"]["seed"] for row in RunLog(log.path).rows()} == {0, 2}, "what failed is run again next time"


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_ends_the_sweep(executor: str, error: type[BaseException], failing: Any) -> None:
    with pytest.raises(error), EXECUTORS[executor]() as pool:
        list(sweep.sweep(failing(error()), pool))


def test_a_key_that_cannot_be_formed_ends_its_own_cell_only(
    failing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes, key = failing(AssertionError), Recipe.key

    def broken(recipe: Recipe) -> str:
        if recipe.seed == 1:
            raise OSError("the disk is gone")
        return key(recipe)

    monkeypatch.setattr(Recipe, "key", broken)
    rows = list(sweep.sweep(recipes, past=RunLog(tmp_path / "cells.jsonl")))
    assert [row.get("error", "")[:28] for row in rows] == ["The run ended with an unexpe", "", ""]


class Dead:
    """A future whose worker died."""

    def result(self) -> dict[str, Any]:
        raise BrokenPipeError("the worker is gone")

    def cancel(self) -> bool:
        return False


def test_a_worker_that_dies_ends_its_own_cell_only(failing: Any) -> None:
    class Pool:
        def submit(self, run: Any, text: str) -> Any:
            return Dead()

    recipes = failing(AssertionError)
    rows = list(sweep.sweep(recipes, Pool()))  # type: ignore[arg-type]
    assert [row["recipe"] for row in rows] == [recipe.to_dict() for recipe in recipes]
    assert all("unexpected BrokenPipeError" in row["error"] for row in rows)


def test_the_log_has_what_the_sentence_spares(caplog: pytest.LogCaptureFixture) -> None:
    assert sentence(ValueError("Too wide.")) == "Too wide." and not caplog.records
    assert "KeyError" in sentence(KeyError("layer9")) and "layer9" in caplog.text
