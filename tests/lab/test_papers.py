"""`perturb paper`: every paper's file can be read and its runs are recipes; the table by hand; resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.defenses import TSBD, FineTuning
from core.knobs import knobs_of
from lab import papers, run_log
from lab.cli import main
from lab.papers import planning, tables
from lab.recipes import Recipe

BASE = {"method": {"method": "FineTuning", "steps": 1, "batch_size": 8}, "inputs": {"n": 10}}


def stored(recipe: Recipe, asr: float, acc: float = 0.9) -> dict[str, Any]:
    counts = {"after/acc": 1000, "after/asr": 900}
    return {"key": recipe.to_json(), "recipe": recipe.to_dict(), "figures": {"after/acc": acc, "after/asr": asr},
            "counts": counts, "device": "cpu, 1 threads", "hardware": "a small machine",
            "versions": {"torch": "9.9"}}  # fmt: skip


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a paper's file with these tables, in place of the real ones."""

    def write(*tables: dict[str, Any], **more: Any) -> None:
        found = {"title": "A Paper", "source": "2020", "gap": "A gap.", "tables": tables,
                 "protocol": [{"": "epochs", "published": "350", "ours": "3"}]}  # fmt: skip
        (tmp_path / "small.json").write_text(json.dumps(found | more))

    monkeypatch.setattr(planning, "HERE", tmp_path)
    monkeypatch.setattr(planning, "NAMES", ["small"])
    monkeypatch.setattr(run_log, "own_folder", lambda: tmp_path / "cells")
    monkeypatch.setattr(run_log, "stored", lambda: run_log.shipped(tmp_path / "cells"))
    return write


@pytest.mark.parametrize("name", papers.NAMES)
def test_every_paper_can_be_printed_without_a_stored_run(name: str) -> None:
    found = papers.read(name)
    assert all(set(row) == {"", "published", "ours"} and all(row.values()) for row in found["protocol"])
    text = papers.text(name, [])
    assert "\n|  |\n" not in text, "a table without columns"
    assert found["gap"] in text and "could not be read" in text and "| published | ours |" in text
    for table in found["tables"]:
        plan = papers.planned(table)
        assert plan.recipes or plan.refused, table["title"]
        assert len(plan.recipes) == len(set(plan.recipes))
        assert f"## {table['title']}" in text and all(sentence in text for sentence in plan.refused)
        if plan.recipes:
            assert f"Not stored yet: {len(plan.recipes)} of {len(plan.recipes)} runs" in text


def test_there_is_a_table_for_each_paper() -> None:
    names = "acav, awp, explanation-consistency, flareon, flatness, fmix, itsr, reactivation, regional"
    names += ", tsbd, weight-backdoor"
    assert ", ".join(papers.NAMES) == names
    with pytest.raises(ValueError, match=f"there are {names}"):
        papers.read("nothing")


def test_a_table_by_hand(paper: Any) -> None:
    """Two seeds of one run, one of another, one missing, a figure that nobody has, and what stands behind."""
    grid = {"seed": [0, 1], "model": ["zoo:a", "zoo:b"], "method": [BASE["method"]]}
    runs = {"recipe": {"data": "scenes"}, "grid": grid}
    paper({"title": "Repairs", "figures": {"after/acc": "ACC", "after/asr": "ASR", "bec": "BEC"}, "runs": [runs]})
    every = papers.planned(papers.read("small")["tables"][0]).recipes
    assert [(one.seed, one.model) for one in every] == [(0, "zoo:a"), (0, "zoo:b"), (1, "zoo:a"), (1, "zoo:b")]
    text = papers.text("small", [stored(every[0], 0.1), stored(every[2], 0.3), stored(every[1], 0.5)])
    name = "FineTuning(steps=1, batch_size=8) on"
    assert f"| {name} a | 90.0 ± 0.0 % | 20.0 ± 14.1 % | – |" in text
    assert f"| {name} b | 90.0 % | 50.0 % | – |" in text
    assert "n = 1,000 for ACC; 900 for ASR and RA; seeds 0, 1 (mean ± standard deviation)" in text
    assert "a small machine; torch 9.9" in text and f"Not stored yet: 1 of 4 runs ({name} b)" in text
    assert "| epochs | 350 | 3 |" in text and "A gap." in text


def test_what_was_there_before_the_run_is_the_model_s(paper: Any) -> None:
    runs = {"recipe": {"data": "scenes", "method": BASE["method"]}, "grid": {"seed": [0], "model": ["zoo:a"]}}
    paper({"title": "Targets", "figures": {"before/asr": "ASR"}, "units": {"ASR": "nats"}, "runs": [runs]})
    row = stored(papers.planned(papers.read("small")["tables"][0]).recipes[0], 0.1)
    row["figures"]["before/asr"] = 0.7
    assert "| a | 0.70 nats |" in papers.text("small", [row])


def test_a_stored_run_with_another_knob_is_not_in_the_table(paper: Any) -> None:
    runs = {"recipe": {"data": "scenes", "method": {"method": "FineTuning"}, "model": "zoo:a"}, "grid": {"seed": [0]}}
    paper({"title": "Repairs", "figures": {"after/acc": "ACC"}, "runs": [runs]})
    text = papers.text("small", [stored(Recipe(FineTuning(lr=0.5), "zoo:a"), 0.1)])
    assert "Not stored yet: 1 of 1 runs" in text and "90.0" not in text


def test_a_chain_runs_on_the_result_of_each_point_with_its_seed(paper: Any) -> None:
    after = {"recipe": {"data": "scenes"}, "grid": {"seed": [0, 4], "model": ["zoo:a"], "method": [{"method": "TSBD"}]}}
    runs = {"recipe": {"data": "scenes"}, "grid": {"method": [{"method": "FineTuning"}]}, "after": after}
    found = papers.planned({"runs": [runs]}).recipes
    assert [one.seed for one in found] == [0, 4] and found[1].model == Recipe(TSBD(), "zoo:a", "scenes", {}, 4)
    assert tables.label(found[0]) == "FineTuning on TSBD on a"


def test_what_is_not_there_is_a_sentence_and_the_rest_goes_on(paper: Any) -> None:
    base, seeds = {"data": "scenes"}, {"seed": [0]}
    lost = {"recipe": base, "grid": seeds | {"model": ["zoo:no-such-*"], "method": [{"method": "TSBD"}]}}
    strange = {"recipe": base, "grid": seeds | {"model": ["zoo:a"], "method": [{"method": "Nothing"}]}}
    good = {"recipe": base, "grid": seeds | {"model": ["zoo:a"], "method": [{"method": "TSBD"}]}}
    paper({"title": "Repairs", "figures": {}, "runs": [lost, strange, good]}, results=["no-such-result"])
    text = papers.text("small", [])
    assert "Cannot be run here: No shipped model with a backdoor is called zoo:no-such-*." in text
    assert "Cannot be run here: 'Nothing' is not a registered method" in text
    assert "1 of 1 runs" in text and "Not stored: the table no-such-result." in text


def test_the_knobs_come_from_the_method() -> None:
    rows = {row["knob"]: row for row in tables.knobs(TSBD)}
    assert set(rows) == {k.name for k in knobs_of(TSBD) if k.paper is not None}
    assert rows["unlearn_lr"]["published"] == "0.0001" and rows["unlearn_lr"]["ours"] == str(TSBD().unlearn_lr)


@pytest.mark.usefixtures("small")
def test_run_computes_what_is_missing_once(paper: Any, tiny_model: str, tmp_path: Path, capsys: Any) -> None:
    runs = {"recipe": BASE | {"model": tiny_model, "data": "scenes"}, "grid": {"seed": [0, 1]}}
    paper({"title": "Repairs", "figures": {"after/acc": "ACC"}, "runs": [runs]})
    assert main(["paper", "small"]) == 0
    assert "Not stored yet: 2 of 2 runs" in capsys.readouterr().out
    assert main(["paper", "small", "--run"]) == 0
    out, err = capsys.readouterr()
    assert "2 of 2: done" in err and "n = 10 for ACC" in out and "Not stored" not in out
    lines = (tmp_path / "cells" / "paper-small.jsonl").read_text().splitlines()
    assert main(["paper", "small", "--run"]) == 0
    assert "2 of 2: known" in capsys.readouterr().err
    assert (tmp_path / "cells" / "paper-small.jsonl").read_text().splitlines() == lines and len(lines) == 2


def test_an_unknown_paper_is_one_sentence(capsys: Any) -> None:
    assert main(["paper", "nothing"]) == 2
    assert "There is no table of a paper 'nothing'" in capsys.readouterr().err
