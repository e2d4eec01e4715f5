"""bench.bias: what is known is not trained again, and the table has a number for each seed; what is told of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import bias as bench
from bench.recipes import bias
from core.training import ExplanationConsistency, Standard
from lab import bias_table, tables

NAMES = ["scenes-biased", "scenes-biased-consistency", "scenes-biased-byloss"]


def cell(name: str, recipe: Any, **figures: float) -> dict[str, Any]:
    found = dict.fromkeys(bias_table.COLUMNS, 0.5) | figures
    return {"name": name, "recipe": recipe.to_dict(), "figures": found, "seconds": 1.0, "hardware": "a machine"}


def table(monkeypatch: pytest.MonkeyPatch, folder: Path, shuffled: dict[str, list[float]]) -> dict[str, Any]:
    monkeypatch.setattr(tables, "TABLES", folder / "tables")
    found = bias.recipes()
    cells = [cell(name, found[name].replace(seed=seed), shuffled=share)
             for name, shares in shuffled.items() for seed, share in enumerate(shares)]  # fmt: skip
    return json.loads(bench.publish(cells).read_text())


def test_the_names_of_the_table_and_of_the_recipes_are_one() -> None:
    assert set(bias_table.FIRST) <= set(bias.recipes())
    assert bias.counts_by("scenes-biased") == bias.counts_by("scenes-biased-bagnet") == "plain training"
    assert bias.counts_by("scenes-biased-byloss-bagnet") == "weights by loss"


def test_what_is_known_is_not_trained_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trained: list[tuple[str, int]] = []

    def made(name: str, recipe: Any) -> dict[str, Any]:
        trained.append((name, recipe.seed))
        return cell(name, recipe)

    monkeypatch.setattr(bench, "cell_of", made)
    argv = ["bias", "--only", *NAMES[:2], "--seeds", "2", "--cells", str(tmp_path / "bias.json")]
    monkeypatch.setattr("sys.argv", argv)
    bench.main()
    assert trained == [(name, seed) for seed in range(2) for name in NAMES[:2]]
    bench.main()
    assert len(trained) == 4
    monkeypatch.setitem(bias.SETTINGS, "epochs", 6)
    bench.main()
    assert len(trained) == 8 and len(json.loads((tmp_path / "bias.json").read_text())) == 4
    monkeypatch.setattr("sys.argv", ["bias", "--only", "nothing"])
    with pytest.raises(SystemExit, match=r"nothing: no such network; there are scenes-biased,"):
        bench.main()


def test_the_table_has_a_number_for_each_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = table(monkeypatch, tmp_path, {"scenes-biased": [0.5, 0.6], "scenes-biased-byloss": [0.4, 0.4]})
    assert found["seeds"] == [0, 1] and found["hardware"] == "a machine: 4 networks"
    first = found["rows"][0]
    assert first["network"] == "scenes-biased" and first["pictures count by"] == "plain training"
    assert first["shuffled"] == [0.5, 0.6] and set(bias_table.COLUMNS.values()) < set(first)
    assert "mean E" not in found["units"] and "95 %" in found["note"]


def test_differences_are_told_over_pairs_of_one_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table(monkeypatch, tmp_path, dict(zip(NAMES, ([0.50, 0.60], [0.54, 0.64], [0.60, 0.60]), strict=True)))
    said = bias_table.said()
    assert "gets 59.0 % right: 4.0 ± 0.0 points above plain training and 1.0 ± 7.1 points below weights by loss" in said
    rows = bias_table.rows()
    assert len(rows) == 12 and {"network": "scenes-biased", "set": "shuffled", "share": pytest.approx(0.55),
                                "low": 0.5, "high": 0.6} in rows  # fmt: skip
    assert "seeds 0, 1" in bias_table.behind()


def test_without_a_table_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tables, "TABLES", tmp_path)
    assert bias_table.rows() == [] and "Not all" in bias_table.said()


def test_the_recipes_are_plain_and_weighted_trainings_of_the_same_settings() -> None:
    kinds = {name: type(recipe.method) for name, recipe in bias.recipes().items()}
    assert kinds["scenes-biased"] is Standard and kinds["scenes-biased-consistency"] is ExplanationConsistency
