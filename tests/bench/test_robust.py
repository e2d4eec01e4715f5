"""The family of robust networks: its names, its recipes, its budget, and the training of one."""

from __future__ import annotations

import json
import tarfile
import time
from pathlib import Path

import pytest
import torch

import models
from bench.robust import publish as publishing
from bench.robust import train as training
from bench.robust.__main__ import affordable, pack, wanted_of
from bench.robust.nets import Budget, Net, family
from bench.robust.publish import compared
from core.attacks import PGD
from core.training import Adversarial, Standard
from lab import tables
from lab.recipes import Recipe

NAMED = (
    "plain sam labelsmoothing fgsm-rs at at-early at-long at-awp trades trades-awp mart mart-awp at-weightdecay "
    "at-labelnoise at-autoaugment at-rotation at-pseudo"
)
SMALL = dict(epochs=2, batch_size=8, pictures=40, heldout=16, attack=PGD(steps=1))
TINY = "arch:preact_resnet18?width=2"


def test_all_names_are_there_and_every_recipe_can_be_read() -> None:
    nets = family(Budget())
    names = [net.name for net in nets] + [net.best for net in nets if net.best]
    assert len(set(names)) == len(names)
    assert {f"cifar10-{name}" for name in NAMED.split()} | {"scenes-at", "scenes-at-awp"} <= set(names)
    for net in nets:
        recipe = Recipe.from_json(json.dumps(net.recipe()))
        assert recipe.method == net.method and recipe.seed == net.seed
        assert recipe.kind.name == ("training" if isinstance(net.method, Standard) else "robust")


def test_the_longest_comes_first() -> None:
    costs = [net.cost for net in family(Budget())]
    assert costs == sorted(costs, reverse=True) and costs[-1] > 0


@pytest.mark.parametrize("passes", [1e5, 3e5, 6e5, 1e7])
def test_a_budget_fits_into_its_passes(passes: float) -> None:
    budget = affordable(passes, None)
    assert sum(net.cost for net in family(budget)) <= passes
    assert budget.epochs >= 90 or budget.pictures == 1000
    assert budget.pictures <= 2500 and budget.epochs <= 200


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pictures behind the scores."""
    monkeypatch.setattr(training, "TESTED", 20)
    monkeypatch.setattr(training, "HELDOUT", 16)
    monkeypatch.setattr(training, "RECORD_EVERY", 1)
    monkeypatch.setattr(training, "JUDGE", PGD(steps=2))


def test_a_robust_net_is_kept_with_its_record_its_best_epoch_and_its_snapshots(few: None, tmp_path: Path) -> None:
    net = Net("scenes-at", "scenes", Adversarial(**SMALL), start=TINY, best="scenes-at-early", snapshots=2)
    assert "under PGD-20" in training.train(net, tmp_path)
    assert training.train(net, tmp_path) == "scenes-at: known"
    for name, early in (("scenes-at", False), ("scenes-at-early", True)):
        told = json.loads((tmp_path / name / "record.json").read_text())
        assert told["epochs"]["epoch"] == [1, 2] and told["scores"]["test"]["n"] == 20
        assert {"train/robust", "heldout/robust", "heldout/robust_loss", "lr", "seconds"} <= set(told["epochs"])
        model = models.load(str(tmp_path / name))
        recipe = Recipe.from_json((tmp_path / name / "recipe.json").read_text())
        assert recipe.method == Adversarial(**SMALL, early_stop=early) and model.card.scores["test"]["n"] == 20
    assert sorted(path.name for path in (tmp_path / "snapshots" / "scenes-at").iterdir()) == [
        "epoch-001.safetensors", "epoch-002.safetensors",
    ]  # fmt: skip


def test_a_plain_net_has_the_same_record(few: None, tmp_path: Path) -> None:
    method = Standard(epochs=2, batch_size=8, pictures=24, schedule="piecewise")
    training.train(Net("scenes-plain", "scenes", method, start=TINY), tmp_path)
    told = json.loads((tmp_path / "scenes-plain" / "record.json").read_text())
    assert told["epochs"]["lr"] == [0.1, 0.001] and len(told["epochs"]["heldout/robust"]) == 2
    pack(tmp_path, tmp_path / "packed")
    with tarfile.open(tmp_path / "packed" / "nets-0.tar.gz") as archive:
        assert "scenes-plain/model.safetensors" in archive.getnames()


def test_a_warm_start_is_the_network_that_ships() -> None:
    data = training.pictures("scenes", "train", 8, None)
    start = training.begin(Net("scenes-at", "scenes", Adversarial(**SMALL), start="zoo:scenes-clean"), data)
    torch.testing.assert_close(start(data.pixels), models.load("zoo:scenes-clean")(data.pixels))
    assert {net.start for net in family(Budget()) if net.data == "scenes"} == {"zoo:scenes-clean"}


def test_time_that_is_over_keeps_nothing(few: None, tmp_path: Path) -> None:
    with pytest.raises(training.OutOfTime, match="it was at step 1 of"):
        training.train(Net("scenes-at", "scenes", Adversarial(**SMALL), start=TINY), tmp_path, deadline=time.time())
    assert not (tmp_path / "scenes-at").exists()


def test_the_speed_counts_passes(few: None) -> None:
    found = training.speed(Net("scenes-at", "scenes", Adversarial(**SMALL), start=TINY), None, seconds=0.5)
    assert found > 1


def test_only_those_that_are_asked_for() -> None:
    assert [net.name for net in wanted_of(family(Budget()), ["cifar10-at"])] == ["cifar10-at"]


def recorded(test: float, train: float, *heldout: float) -> dict:
    scores = {"test": {"acc": 0.5, "robust": test, "n": 100}, "train": {"acc": 0.9, "robust": train, "n": 100}}
    epochs = {"epoch": list(range(1, len(heldout) + 1)), "heldout/robust": list(heldout)}
    return {"epochs": epochs, "scores": scores, "hardware": "two cores", "seconds": 1.0, "torch": "2.14.1+cpu"}


def test_at_and_awp_are_compared_over_the_seeds_that_both_have() -> None:
    nets = {
        "cifar10-at": recorded(0.2, 0.8, 0.3, 0.25), "cifar10-at-awp": recorded(0.24, 0.5, 0.2, 0.28),
        "cifar10-at-seed1": recorded(0.21, 0.7, 0.3, 0.2), "cifar10-at-awp-seed1": recorded(0.25, 0.5, 0.3, 0.3),
        "cifar10-at-awp-seed2": recorded(0.9, 0.9, 0.9), "cifar10-plain": recorded(0.0, 0.0, 0.0),
    }  # fmt: skip
    (at, awp), seeds = compared(nets)
    assert seeds == [0, 1] and at["n"] == 100 and at["robust"] == [0.2, 0.21] and awp["robust"] == [0.24, 0.25]
    assert at["gap"] == pytest.approx([0.6, 0.49])
    assert at["best epoch"] == [0.3, 0.3] and at["last epoch"] == [0.25, 0.2]


def test_nothing_is_compared_without_a_pair() -> None:
    assert compared({"cifar10-at-awp": recorded(0.24, 0.5, 0.2)})[1] == []


def test_the_tables_hold_what_ships_and_the_other_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ZOO", tmp_path / "zoo")
    monkeypatch.setattr(publishing, "CELLS", tmp_path / "cells.json")
    monkeypatch.setattr(tables, "TABLES", tmp_path / "tables")
    for place, name, robust in (
        ("zoo", "cifar10-at", 0.2), ("zoo", "cifar10-at-awp", 0.24),
        ("nets", "cifar10-at-seed1", 0.21), ("nets", "cifar10-at-awp-seed1", 0.23),
    ):  # fmt: skip
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(recorded(robust, 0.5, 0.3, 0.25)))
    publishing.publish(tmp_path / "nets")
    publishing.publish(None)  # the other seeds are kept among the cells
    found = tables.stored_table("awp")
    assert found is not None and found["seeds"] == [0, 1] and found["hardware"] == "two cores: 4 nets"
    assert [row["robust"] for row in found["rows"]] == [[0.2, 0.21], [0.24, 0.23]]
    assert found["note"].endswith("Trained with torch 2.14.1.")
    family_table = tables.stored_table("robust")
    assert family_table is not None and [row["net"] for row in family_table["rows"]] == ["cifar10-at", "cifar10-at-awp"]
