"""bench/regional.py end to end on a tiny net: rows, rates over all kept images, valid JSON."""

import json

import pytest

from bench import regional
from core.attacks.inputs.regional.regional import FAMILIES
from lab import tables
from models import Card, Classifier
from tests.conftest import colour_set


def test_table_and_json(monkeypatch, tmp_path, trained_net, capsys):
    def load(ref):
        return Classifier(
            trained_net, mean=(0.0,) * 3, std=(1.0,) * 3, class_names=tuple("abcd"), input_size=(3, 16, 16),
            card=Card(ref=ref, origin="test"),
        )

    asked = []

    def load_data(data, split, *, limit, seed, size):
        asked.append((data, split, size))
        return colour_set(limit)

    monkeypatch.setattr(regional, "load", load)
    monkeypatch.setattr(regional, "load_data", load_data)
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    out = tmp_path / "results" / "regional.json"
    regional.main(
        ["--n", "8", "--source", "one", "--judge", "two", "--data", "colours", "--steps", "3", "--alpha", "0.05",
         "--seeds", "2", "--out", str(out)]
    )
    found = json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert asked[0] == ("colours", "test", 16)
    assert len(found["rows"]) == 2 * 2 * 3 and {row["family"] for row in found["rows"]} <= set(FAMILIES)
    for row in found["rows"]:
        assert row["n"] <= row["read"] == 8 and 0 <= row["local_rate"] <= 1
        assert row["local_interval"][0] <= row["local_rate"] <= row["local_interval"][1]
        assert row["ratios"]["l2"]["n"] == row["n_both"]
    assert {(row["source"], row["judge"]) for row in found["rows"]} == {("one", "two"), ("two", "one")}
    assert found["setting"]["steps"] == 3
    assert capsys.readouterr().out.count("\n| one → two") == 6
    table = json.loads((tmp_path / "regional.json").read_text())
    assert len(table["rows"]) == 12 and "at most 3 steps" in table["n"] and table["seeds"] == [0, 1]
    assert "| one → two | square |" in tables.section(table)
