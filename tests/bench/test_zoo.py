"""bench.zoo: what has been measured stays, until its model or the clean one is trained anew."""

from __future__ import annotations

import json

import pytest

from bench import zoo
from models import Card


@pytest.fixture
def asked(monkeypatch):
    """The models that were measured, by name; their rows are made up."""
    seen: list[str] = []

    def rows_of(name, model, clean):
        seen.append(f"{model} beside {clean}")
        return [{"model": name, "ACC": 0.5}] if name != "b-far" else [{"model": name}]

    monkeypatch.setattr(zoo, "rows_of", rows_of)
    monkeypatch.setattr(zoo, "load", lambda ref: ref)
    return seen


def shelf(**shas: str) -> dict[str, Card]:
    cards = {name.replace("_", "-"): sha for name, sha in shas.items()}
    return {name: Card(f"zoo:{name}", "test", sha=sha, data=name.split("-")[0]) for name, sha in cards.items()}


def test_only_what_changed_is_measured_again(asked, tmp_path):
    out = tmp_path / "cells" / "zoo.json"
    first = zoo.measured(shelf(a_clean="1", a_sig="2", b_sig="3"), out)
    assert asked == ["zoo:a-clean beside zoo:a-clean", "zoo:a-sig beside zoo:a-clean", "zoo:b-sig beside None"]
    asked.clear()
    assert zoo.measured(shelf(a_clean="1", a_sig="2", b_sig="3"), out) == first and not asked
    zoo.measured(shelf(a_clean="1", a_sig="other", b_sig="3"), out)
    assert asked == ["zoo:a-sig beside zoo:a-clean"]
    asked.clear()
    zoo.measured(shelf(a_clean="another", a_sig="other"), out)
    assert asked == ["zoo:a-clean beside zoo:a-clean", "zoo:a-sig beside zoo:a-clean"]
    assert [cell["of"]["model"] for cell in json.loads(out.read_text())] == ["b-sig", "a-clean", "a-sig"]


def test_a_model_whose_pictures_could_not_be_had_is_asked_for_again(asked, tmp_path):
    out = tmp_path / "zoo.json"
    for _ in range(2):
        assert zoo.measured(shelf(b_far="1"), out) == [{"model": "b-far"}]
    assert asked == ["zoo:b-far beside None"] * 2 and json.loads(out.read_text()) == []
