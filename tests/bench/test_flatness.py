"""bench.flatness: a net is measured once, each in a file of its own, and the table says how measures order nets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import models
from bench.flatness import __main__ as command
from bench.flatness import measure
from core.data.scenes import SHAPES
from lab import tables

NETS = {name: measure.Measured(name, f"zoo:{name}", name, "cifar10") for name in ("a", "b", "c", "d")}


def made_up(place: int) -> measure.Cell:
    loss = 1.0 + place
    figures = {"test": {"loss": loss, "acc": 0.4}, "train": {"loss": loss - 0.5, "acc": 0.4 + 0.1 * place}}
    return {
        "robust": figures, "clean": figures, "average": [0.1 * place, 0.3 * place],
        "clean average": [0.1, 0.2], "worst": [0.1, 0.2 * place],
        "trace": [5.0 - place], "landscape": {"alphas": [-1, 0, 1], "loss": [2, 1, 2], "fixed": [1, 1, 1], "n": 8},
        "hardware": "a GPU", "seconds": 1.0,
    }  # fmt: skip


def settings_of(name: str) -> measure.Cell:
    return {"net": name, "sha": "x", "data": "cifar10", **measure.settings(9, 0)}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The nets that were measured, by reference; their cells are made up, and the table goes to a folder of its own."""
    seen: list[str] = []

    def one(net: measure.Measured, n: int, seed: int, source: Path | None) -> measure.Cell:
        seen.append(net.ref)
        return made_up("abcd".index(net.name))

    monkeypatch.setattr(command, "measured", one)
    monkeypatch.setattr(command, "family", lambda folder=None: list(NETS.values()))
    monkeypatch.setattr(tables, "TABLES", tmp_path / "stored" / "tables")
    (tmp_path / "stored").mkdir()
    return seen


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["flatness", *arguments, "--cells", str(tmp_path / "cells")])
    command.main()


def test_a_net_is_measured_once_until_its_weights_or_the_settings_change(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(monkeypatch, tmp_path, "a", "b")
    run(monkeypatch, tmp_path, "a")
    assert asked == ["zoo:a", "zoo:b"] and not tables.TABLES.exists()
    monkeypatch.setitem(NETS, "b", measure.Measured("b", "zoo:b", "trained again", "cifar10"))
    run(monkeypatch, tmp_path, "a", "b")
    run(monkeypatch, tmp_path, "a", "--n", "20")
    assert asked == ["zoo:a", "zoo:b", "zoo:b", "zoo:a"]
    with pytest.raises(SystemExit, match="no such net"):
        run(monkeypatch, tmp_path, "z")


def test_the_table_has_a_row_for_each_net_and_says_how_measures_order_them(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(monkeypatch, tmp_path)
    moments = [made_up(place) | settings_of("long@epoch-0" + str(epoch)) | {"epoch": epoch} for place, epoch in
               ((1, 20), (2, 10))]  # fmt: skip
    for cell in moments:
        (tmp_path / "cells" / f"{cell['net']}.json").write_text(json.dumps(cell))
    assert len(asked) == 4 and not tables.TABLES.exists()
    run(monkeypatch, tmp_path, "--publish")
    assert len(asked) == 4
    table: Any = tables.stored_table("flatness")
    assert [row["model"] for row in table["rows"]] == ["a", "b", "c", "d"] and table["hardware"] == "a GPU"
    last = table["rows"][-1]
    assert last["gap"] == pytest.approx(0.3) and last["loss gap"] == 0.5
    assert last["average"] == pytest.approx([0.3, 0.9])
    assert "cifar10, average with robust loss: +1.00 (+1.00 to +1.00, 4 nets)" in table["note"]
    assert "cifar10, Hessian trace with robust loss: -1.00" in table["note"]
    curves = json.loads((tmp_path / "stored" / "flatness-curves.json").read_text())
    assert curves["a"]["loss"] == [2, 1, 2] and curves["a"]["sha"] == "a"
    assert "| a | cifar10 | 40.0 %" in tables.section(table)
    epochs: Any = tables.stored_table("flatness-epochs")
    assert [(row["model"], row["epoch"]) for row in epochs["rows"]] == [("long", 10), ("long", 20)]
    assert epochs["rows"][0]["robust loss, train"] == 2.5


def test_measuring_needs_neither_the_lab_nor_streamlit() -> None:
    code = "import sys, bench.flatness.__main__; print([name for name in ('lab', 'streamlit') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert found.stdout.strip() == "[]", found.stderr


def test_the_family_is_every_net_without_a_backdoor() -> None:
    found = {net.name: net for net in measure.family()}
    assert {"cifar10-clean", "scenes-clean"} <= set(found) and "scenes-badnets" not in found
    assert found["scenes-clean"].ref == "zoo:scenes-clean" and found["scenes-clean"].data == "scenes"


def test_the_epochs_of_a_training_are_its_snapshots(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models.save(models.create("preact_resnet18", tuple(SHAPES), width=4), tmp_path / "long",
                    perturb={"data": "scenes"})  # fmt: skip
    last = models.load(str(tmp_path / "long"))
    state = {name: torch.zeros_like(value) for name, value in last.net.state_dict().items()}
    (tmp_path / "snapshots" / "long").mkdir(parents=True)
    save_file(state, tmp_path / "snapshots" / "long" / "epoch-030.safetensors")
    (net,) = measure.snapshots(tmp_path, "long")
    assert net.name == "long@epoch-030" and not any(p.any() for p in net.model().net.parameters())
    assert [each.name for each in measure.family(tmp_path)] == ["long"]
    cell = measure.briefly(net, 4, 0)
    assert cell["epoch"] == 30 and len(cell["average"]) == 10
    assert "long@epoch-030" in measure.line(net.name, cell)
