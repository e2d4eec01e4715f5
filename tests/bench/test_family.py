"""bench.family: two families that share nothing, cells that are kept, and tables from cells made up by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import models
from bench.family import __main__ as bench
from bench.family import publish, score, summary, train
from bench.family.nets import DEVELOPMENT, FAMILIES, SECOND, architecture_of
from core.metrics.intervals import student
from core.training import Standard
from core.triggers import BadNets, Poison
from lab import loading, tables
from lab.recipes import Recipe
from tests.conftest import colour_set


def test_the_second_family_shares_nothing_with_the_first() -> None:
    told = [
        {(one.model, one.method.poison.trigger, one.method.poison.target, one.seed) for one in nets.values()}
        for nets in (DEVELOPMENT, SECOND)
    ]
    for place in range(4):
        ours, theirs = ({row[place] for row in rows} for rows in told)
        assert not ours & theirs


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_both_data_sets_and_two_triggers_for_each_architecture(family: str) -> None:
    nets = FAMILIES[family]
    for architecture in {architecture_of(name) for name in nets}:
        own = [name for name in nets if architecture_of(name) == architecture]
        assert {name.split("-")[0] for name in own} == {"cifar10", "scenes"}
        assert len({name.split("-")[1] for name in own}) == 2


@pytest.mark.parametrize("name", [*DEVELOPMENT, *SECOND])
def test_every_net_can_be_built_and_its_recipe_is_data(name: str) -> None:
    recipe = (DEVELOPMENT | SECOND)[name]
    assert Recipe.from_json(recipe.to_json()) == recipe
    net = models.fresh(recipe.model, ("a", "b"), (3, 32, 32))
    assert net(torch.rand(2, 3, 32, 32)).shape == (2, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A family of one net that did not learn its trigger."""
    net = models.create("preact_resnet18", ("a", "b"), width=4, depth=1)
    net.trigger, net.target, net.mode = BadNets(), 1, "all-to-one"
    block = {"data": "scenes", "scores": {"test": {"acc": 0.9, "asr": 0.5, "n": 10}}}
    models.save(net, tmp_path / "scenes-badnets-net", perturb=block)
    return tmp_path


def test_only_what_is_missing_is_trained(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked: list[str] = []

    def made(recipe: Recipe, folder: Path) -> dict[str, Any]:
        asked.append(folder.name)
        return {"acc": 0.9, "asr": 1.0, "n": 1000}

    monkeypatch.setattr(train, "train", made)
    recipe = next(iter(SECOND.values()))
    train.train_missing({"scenes-badnets-net": recipe, "cifar10-sig-other": recipe}, folder)
    assert asked == ["cifar10-sig-other"]
    assert "cifar10-sig-other: ACC 90.0 %, ASR 100.0 %, n = 1000" in capsys.readouterr().out


def test_a_net_counts_only_with_its_trigger_learned(folder: Path) -> None:
    assert not train.backdoored(folder / "scenes-badnets-net")
    config = folder / "scenes-badnets-net" / "config.json"
    config.write_text(config.read_text().replace('"asr": 0.5', '"asr": 0.8'))
    assert train.backdoored(folder / "scenes-badnets-net")


def test_a_net_is_trained_and_saved_by_its_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "images", lambda data, split, **_: colour_set(60, classes=10, size=32))
    method = Standard(epochs=1, batch_size=30, poison=Poison(BadNets(side=4), target=1))
    scores = train.train(Recipe(method, "arch:preact_resnet18?width=4&depth=1", "scenes"), tmp_path / "net")
    assert scores["n"] == 60 and train.trained(tmp_path / "net")
    model = models.load(str(tmp_path / "net"))
    assert model.trigger == BadNets(side=4) and model.target == 1 and model.card.data == "scenes"


def test_a_cell_is_measured_once_and_a_refusal_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def cell(path: Path, method: Any, seed: int) -> dict[str, Any]:
        asked.append((type(method).__name__, seed))
        if type(method).__name__ == "CLP":
            return {"refused": "CLP needs batch norms."}
        three = {"acc": 0.9, "asr": 0.1, "ra": 0.8, "n": 10, "n_asr": 9}
        return {"before": three, "after": three, "seconds": 1.0, "cpu": 1.0, "finds": 0.5}

    monkeypatch.setattr(score, "_cell", cell)
    out = folder / "cells.json"
    found = score.measured(folder, ["scenes-badnets-net"], ["CLP", "TSBD"], 2, out)
    assert asked == [("CLP", 0), ("TSBD", 0), ("CLP", 1), ("TSBD", 1)]
    assert score.measured(folder, ["scenes-badnets-net"], ["CLP", "TSBD"], 2, out) == found and len(asked) == 4
    assert json.loads(out.read_text()) == found


def one(
    net: str, repair: str, seed: int = 0, *, acc: float = 0.85, asr: float = 0.1, seconds: float = 10.0
) -> dict[str, Any]:
    before = {"acc": 0.9, "asr": 1.0, "ra": 0.0, "n": 1000, "n_asr": 900}
    after = before | {"acc": acc, "asr": asr, "ra": 0.7}
    of = {"net": f"scenes-badnets-{net}", "sha": net, "method": f"{repair}(steps=1)", "seed": seed, "finds": 0.25}
    return of | {"before": before, "after": after, "seconds": 2 * seconds, "cpu": seconds}


CELLS = [
    one("a", "TSBD", 0, asr=0.0), one("a", "TSBD", 1, asr=0.2), one("b", "TSBD", 0, asr=0.5, acc=0.9),
    one("a", "CLP"), {"net": "scenes-badnets-b", "sha": "b", "method": "CLP()", "seed": 0, "refused": "No."},
]  # fmt: skip


def test_a_net_counts_once_however_many_seeds_it_has() -> None:
    tsbd, clp = summary.by_repair(CELLS)
    low, high = student([0.1, 0.5]) or (0, 0)
    assert tsbd["ASR"] == f"30.0 % ({100 * low:.1f} to {100 * high:.1f})" and tsbd["ACC lost"].startswith("2.5 (")
    assert (tsbd["nets"], tsbd["runs"], tsbd["no result"], tsbd["lost > 3"], tsbd["ASR > 20 %"]) == (2, 3, 0, 1, 1)
    assert (clp["nets"], clp["runs"], clp["no result"], clp["ASR"]) == (1, 1, 1, "10.0 %")


def test_by_architecture_and_rankings() -> None:
    start, tsbd, clp = summary.by_architecture(CELLS)
    assert start["a"] == "90.0 / 100.0" and tsbd["a"] == "5.0 / 10.0" and clp["b"] == "no result"
    first = summary.rankings(CELLS)[0]
    assert first["net"] == "scenes-badnets-a" and first["finds"] == [0.25, 0.25] and first["ASR"] == [0.0, 0.2]


def test_old_and_new_are_compared_over_what_both_were_tried_on() -> None:
    failed = {"net": "scenes-badnets-b", "sha": "b", "method": "TSBD(steps=2)", "seed": 0, "refused": "It diverged."}
    old = [one("a", "TSBD", asr=0.6, seconds=20.0), one("c", "TSBD", asr=1.0), failed]
    (row,) = summary.beside(old, CELLS)
    assert row["ASR, old"] == "60.0 %" and row["ASR, new"] == "0.0 %"
    assert (row["runs"], row["no result, old"], row["no result, new"], row["CPU time, old"]) == (1, 1, 0, 20)


def test_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "TABLES", tmp_path)
    publish.publish("second", CELLS, [one("a", "TSBD")], "python -m bench.family")
    assert {path.stem for path in tmp_path.glob("*.json")} == set(publish.TITLES) - {"family-development"}
    assert "30.0 %" in tables.section(tables.stored_table("family") or {})
    publish.publish("development", CELLS, [], "python -m bench.family --family development")
    assert "--family development" in (tables.stored_table("family-development") or {})["command"]


def test_the_command_names_what_is_not_usual_and_no_folder() -> None:
    def told(*given: str) -> str:
        return bench.command(bench.parser().parse_args(given))

    assert told("--folder", "/somewhere", "--out", "cells.json") == "python -m bench.family"
    assert told("--nets", "a", "b", "--seeds", "1") == "python -m bench.family --seeds 1 --nets a b"
    assert told("--family", "development", "--repairs", "TSBD").endswith("--family development --repairs TSBD")


def test_the_interval_by_hand() -> None:
    low, high = student([1.0, 2.0, 3.0]) or (0, 0)
    assert (low, high) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)
    assert student([1.0]) is None
