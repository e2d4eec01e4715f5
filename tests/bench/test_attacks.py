"""bench.attacks: what is compared, what is kept, and what the two tables say."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from bench import kept
from bench.attacks import __main__ as bench
from bench.attacks import compare, libraries, robust, universal
from bench.attacks.cases import CASES
from core.attacks import AutoAttack, Universal
from models import Card, Classifier
from tests.conftest import colour_set

NET = "zoo:a"


@pytest.fixture
def zoo(monkeypatch, tmp_path, trained_net):
    """A tiny net under every name, its pictures, and a place for tables."""

    def load(ref):
        return Classifier(
            trained_net, mean=(0.0,) * 3, std=(1.0,) * 3, class_names=tuple("abcd"), input_size=(3, 16, 16),
            card=Card(ref=ref, origin="test"),
        )

    for module in (bench, robust):
        monkeypatch.setattr(module.models, "load", load)
        monkeypatch.setattr(module, "load_data", lambda data, split, limit: colour_set(limit))
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    return tmp_path


def test_every_attack_is_compared_where_its_library_is_there(zoo, monkeypatch) -> None:
    short = [dataclasses.replace(case, turns=1) for case in CASES if case.name in ("FGSM", "PGD L2", "FAB-T")]
    monkeypatch.setattr(compare, "CASES", short)
    monkeypatch.setattr(compare.compared, "__defaults__", (zoo / "rows.json",))
    monkeypatch.setattr("sys.argv", ["bench.attacks", "--n", "4", "--model", NET])
    bench.main()
    rows = json.loads((zoo / "attacks.json").read_text())["rows"]
    beside = {name: [row["beside"] for row in rows if row["attack"] == name] for name in ("FGSM", "PGD L2", "FAB-T")}
    assert beside["FGSM"] == [*libraries.installed(), "bare passes"]
    assert beside["PGD L2"][-1] == "bare passes" and "bare passes" not in beside["FAB-T"]
    for row in rows:
        assert row["ours"] > 0 and row["times as fast"] == pytest.approx(row["theirs"] / row["ours"])
        assert ("success" in row) == (row["beside"] != "bare passes")
        if row["attack"] in compare.SAME and row["beside"] in ("torchattacks", "foolbox"):
            assert float(row["largest difference of a pixel"]) < 1e-6
    monkeypatch.setattr(compare, "_rows", lambda *given: pytest.fail("it is there already"))
    bench.main()
    assert json.loads((zoo / "attacks.json").read_text())["rows"] == rows


def test_a_library_that_is_not_installed_is_left_out(monkeypatch, trained_net) -> None:
    def missing(name: str):
        raise ImportError(name)

    monkeypatch.setattr(libraries.importlib, "import_module", missing)
    images = colour_set(2).pixels
    assert libraries.installed() == [] and libraries.peers(CASES[0], trained_net, images, torch.tensor([0, 1])) == {}


def test_autoattack_is_measured_block_by_block_and_once(zoo, monkeypatch, capsys) -> None:
    monkeypatch.setattr(robust, "FILE", zoo / "cells.json")
    monkeypatch.setattr(robust, "BLOCK", 5)
    monkeypatch.setattr(robust, "AutoAttack", lambda eps: AutoAttack(eps=eps, steps=2, targets=1, queries=2))
    monkeypatch.setattr(robust, "_theirs", lambda model, images, labels, classes: (images, {}))
    found = robust.measure([NET], 8, (robust.OURS, robust.THEIRS), zoo / "cells.json")
    assert [(cell["library"], cell["first"], cell["pictures"]) for cell in found] == [
        ("ours", 0, 5), ("ours", 5, 3), ("torchattacks", 0, 5), ("torchattacks", 5, 3),
    ]  # fmt: skip
    monkeypatch.setattr(robust, "_cell", lambda *given: pytest.fail("it is there already"))
    assert robust.measure([NET], 8, (robust.OURS, robust.THEIRS), zoo / "cells.json") == found
    assert kept.read(zoo / "cells.json") == found
    (row,) = robust.rows(found, 8, {})
    assert row["ACC"] == row["torchattacks"] and row["ours"] <= row["ACC"]
    assert row["pictures judged otherwise"] == round(8 * (row["ACC"] - row["ours"]))


def test_the_rows_of_autoattack_by_hand() -> None:
    def cell(library: str, first: int, right: list[int], survivors: list[int], **stages: int):
        return {"net": NET, "library": library, "first": first, "pictures": 2, "right": right, "survivors": survivors,
                "stages": stages}  # fmt: skip

    ours = [cell("ours", 0, [0, 1], [1], A=1), cell("ours", 2, [2], [], A=1, B=0)]
    (row,) = robust.rows(ours, 4, {"a": 0.5})
    assert row["ACC"] == 0.75 and row["ours"] == 0.25 and row["torchattacks"] == 0.5
    assert row["points apart"] == "-25.0" and row["pictures judged otherwise"] is None and row["broken by A"] == 2
    theirs = [cell("torchattacks", 0, [0, 1], [0]), cell("torchattacks", 2, [2], [])]
    (row,) = robust.rows(ours + theirs, 4, {"a": 0.5})
    assert row["torchattacks"] == 0.25 and row["points apart"] == "+0.0" and row["pictures judged otherwise"] == 2
    assert robust.rows(ours[:1], 4, {}) == [], "blocks are missing"


def test_a_universal_change_is_timed_beside_art(zoo, monkeypatch) -> None:
    monkeypatch.setattr(universal, "load_data", lambda data, split, limit: colour_set(limit))
    monkeypatch.setattr(universal, "PASSES", 1)
    monkeypatch.setattr(universal, "OURS", {"sign": Universal(passes=1, xi=0.2, enough=0.2)})
    monkeypatch.setattr(universal, "art", lambda model, images: torch.zeros_like(images[0]))
    monkeypatch.setattr("sys.argv", ["bench.attacks", "--universal", "--n", "12"])
    bench.main()
    first, ours = json.loads((zoo / "universal-speed.json").read_text())["rows"]
    assert first["search"].startswith("ART") and first["fooled, training"] == 0  # no change fools nobody
    assert ours["times faster than ART"] == pytest.approx(first["time"] / ours["time"]) and ours["fooled, test"] >= 0
