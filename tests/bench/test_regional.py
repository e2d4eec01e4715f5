"""bench.regional end to end on a tiny net: pairs that are kept and not measured again, rates, the table's rows."""

import json

import pytest

from bench import kept, regional
from core.attacks import Regional
from lab import tables
from models import Card, Classifier
from tests.conftest import colour_set


@pytest.fixture
def small(monkeypatch, tmp_path, trained_net):
    """Two networks that are the same net, eight pictures, three steps; what was measured, by source."""

    def load(ref):
        return Classifier(
            trained_net, mean=(0.0,) * 3, std=(1.0,) * 3, class_names=tuple("abcd"), input_size=(3, 16, 16),
            card=Card(ref=ref, origin="test"),
        )

    seen, whole = [], regional.measured

    def measured(data, source, *rest):
        seen.append(source)
        return whole(data, source, *rest, Regional(steps=3, alpha=0.05))

    monkeypatch.setattr(regional, "load", load)
    monkeypatch.setattr(regional, "load_data", lambda *_, **__: colour_set(8))
    monkeypatch.setattr(regional, "measured", measured)
    monkeypatch.setattr(regional, "PAIRS", {"colours": ("colours", (("one", "two"), ("two", "one")))})
    monkeypatch.setattr(regional, "FILE", tmp_path / "cells.json")
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    return seen


def test_pairs_are_kept_and_come_as_rows(small, tmp_path):
    regional.main(["--seeds", "2", "--pictures", "6"])
    regional.main(["--seeds", "2", "--pictures", "6"])
    assert small == ["one", "two"] * 2  # the second call measured nothing
    cells = json.loads((tmp_path / "cells.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert cells == kept.read(regional.FILE) and [cell["seed"] for cell in cells] == [0, 0, 1, 1]
    for cell in cells:
        assert cell["n"] <= 6 and cell["n"] <= cell["read"] <= 8 and cell["setting"]["steps"] == 3
        assert [row["family"] for row in cell["rows"]] == list(regional.FAMILIES)
        for row in cell["rows"]:
            assert 0 <= row["n_both"] <= row["n_global"] <= cell["n"] and row["local_rate"] <= 1
            assert all(ratio["n"] == row["n_both"] for ratio in row["ratios"].values())
    table = json.loads((tmp_path / "regional.json").read_text())
    assert len(table["rows"]) == 20 and "at most 3 steps" in table["n"] and table["seeds"] == [0, 1]
    assert "| one → two | square |" in tables.section(table)


def test_a_row_where_nothing_transfers_has_no_ratios():
    cell = {"source": "zoo:a", "judge": "hf:x/b", "seed": 0, "n": 4}
    line = regional.flat(cell, {
        "family": "square", "area": 0.25, "local_rate": 0.0, "global_rate": 0.0, "n_global": 0, "n_both": 0,
        "ratios": {},
    })  # fmt: skip
    assert line["source → judge"] == "a → b" and line["still transfer"] is line["interval"] is line["L2 ratio"] is None
