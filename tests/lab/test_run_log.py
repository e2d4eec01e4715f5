"""Stored runs: which files are read, rows of older code, rows of older models, and where new runs go."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from core.defenses import TSBD, FineTuning
from lab import cache_key, run_log
from lab.recipes import Recipe
from lab.run_log import RunLog
from lab.scoreboard import Board, fill
from lab.settings import Settings

RECIPE = Recipe(TSBD(), "zoo:scenes-badnets", "scenes", {"n": 100}, 3)
BOARD = Board("scenes", {"badnets": "zoo:scenes-badnets"}, {"TSBD": TSBD(), "FineTuning": FineTuning()}, 100)


def row(recipe: Recipe, **more: Any) -> dict[str, Any]:
    return {"key": recipe.key(), "recipe": recipe.to_dict(), "figures": {"der": 0.9}, "device": "cpu, 1 threads",
            "versions": cache_key.versions(recipe)} | more  # fmt: skip


def older(found: dict[str, Any], knob: str) -> dict[str, Any]:
    """The row as code without this knob wrote it."""
    old = copy.deepcopy(found)
    del old["recipe"]["method"][knob]
    return old | {"key": "the key of another recipe"}


@pytest.fixture(autouse=True)
def _on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(cache_key, "best_device", lambda: torch.device("cpu"))


def test_a_row_without_a_knob_that_was_added_since_still_fills_its_cell(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "a.jsonl")
    log.add(older(row(RECIPE), "tau"))
    [found] = run_log.read(tmp_path / "a.jsonl")
    assert found["recipe"] == RECIPE.to_dict()
    assert list(fill(BOARD, [found])["TSBD", "badnets"].rows) == [3]
    assert RunLog(tmp_path / "a.jsonl").find(RECIPE.key()) == found, "a sweep does not run it again"


def test_a_row_without_a_knob_is_no_run_of_today_if_its_model_was_another(tmp_path: Path) -> None:
    old = older(row(RECIPE), "tau")
    old["versions"]["zoo:scenes-badnets"] = "trained anew since"
    RunLog(tmp_path / "a.jsonl").add(old)
    assert RunLog(tmp_path / "a.jsonl").find(RECIPE.key()) is None


def test_a_row_whose_method_or_knob_is_gone_is_skipped(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "a.jsonl")
    for name, value in (("method", "NoSuchMethod"), ("no_such_knob", 1), ("tau", 99)):
        strange = copy.deepcopy(row(RECIPE))
        strange["recipe"]["method"][name] = value
        log.add(strange | {"key": name})
    log.add(row(RECIPE))
    assert run_log.read(tmp_path / "a.jsonl") == RunLog(tmp_path / "a.jsonl").rows() != []
    assert [one["key"] for one in run_log.read(tmp_path / "a.jsonl")] == [RECIPE.key()]


@pytest.mark.parametrize("file", sorted(run_log.SHIPPED.glob("*.jsonl")), ids=lambda file: file.stem)
def test_every_shipped_row_can_be_read_and_its_key_follows_from_it(file: Path) -> None:
    rows = run_log.read(file)
    assert len(rows) == len(file.read_text().splitlines()) > 0
    for one in rows:
        assert cache_key.key_of_row(Recipe.from_dict(one["recipe"]), one) == one["key"]


@pytest.mark.parametrize(
    ("device", "kind"), [("cpu, 1 threads", "cpu"), ("cuda: NVIDIA H200", "cuda"), ("mps, 8 threads", "mps")]
)
def test_the_key_of_a_row_is_that_of_its_recipe_on_its_device(
    device: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(cache_key, "best_device", lambda: torch.device(kind))
    chain = Recipe(FineTuning(), RECIPE, "scenes")
    assert cache_key.key_of_row(chain, row(chain, device=device)) == chain.key()


def test_rows_of_a_model_that_was_trained_again_are_left_out() -> None:
    own = row(RECIPE, versions={"torch": "2", "zoo:scenes-a": "old"})
    assert run_log.current(own, {"zoo:scenes-a": "old"})
    assert not run_log.current(own, {"zoo:scenes-a": "new"}) and not run_log.current(own, {})


def test_shipped_files_are_read_whole(tmp_path: Path) -> None:
    first = row(RECIPE)
    RunLog(tmp_path / "a.jsonl").add(first)
    RunLog(tmp_path / "b.jsonl").add(first | {"key": "b"})
    (tmp_path / "other.json").write_text("[1]")
    (tmp_path / "c.jsonl").write_text('[1]\n{"key": "no more than this"}\n')
    assert [one["key"] for one in run_log.shipped(tmp_path)] == [first["key"], "b"]
    RunLog(tmp_path / "b.jsonl").add(first | {"key": "c"})
    assert len(run_log.shipped(tmp_path)) == 3, "an edit is noticed"


def test_an_installed_package_is_not_written_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New runs then go below the cache folder, and are read from there beside the shipped ones."""
    assert run_log.own_folder() == run_log.SHIPPED, "a checkout keeps them with the others"
    installed = tmp_path / "site-packages" / "lab" / "stored"
    installed.mkdir(parents=True)
    monkeypatch.setattr(run_log, "SHIPPED", installed)
    monkeypatch.setattr(run_log, "settings", Settings(cache=str(tmp_path / "cache")))
    own = run_log.own_folder()
    assert own == tmp_path / "cache" / "runs"
    RunLog(installed / "a.jsonl").add(row(RECIPE))
    RunLog(own / "paper-tsbd.jsonl").add(row(RECIPE.replace(seed=4)))
    seeds = [one["recipe"]["seed"] for one in run_log.stored() if one["recipe"]["inputs"] == {"n": 100}]
    assert seeds[:2] == [3, 4]
