"""Measured figures on their way into README.md and docs/results.md."""

from __future__ import annotations

import json

import pytest

from bench import report
from bench.keep import keep
from lab import tables


def test_cells_print_shares_seeds_and_seconds():
    assert tables.cell(0.123, "%") == "12.3 %"
    assert tables.cell([0.0, 0.02, 0.04], "%") == "2.0 ± 2.0 %"
    assert tables.cell([1.0, 2.0], "s") == "1.50 ± 0.71 s"
    assert tables.cell(1000) == "1,000"
    assert tables.cell(None) == "–"
    assert tables.cell("TSBD") == "TSBD"


def test_a_kept_result_comes_back_as_a_table_that_names_what_stands_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr("lab.tables.TABLES", tmp_path)
    rows = [{"model": "a", "ASR": [0.1, 0.2]}, {"model": "b", "ASR": 0.5, "note": "once"}]
    behind = {"command": "python -m bench.x", "n": "7 pictures", "seeds": [0, 1]}
    path = keep("x", "Title", rows, **behind, units={"ASR": "%"})
    text = tables.section(json.loads(path.read_text()))
    assert "| model | ASR | note |" in text
    assert "| a | 15.0 ± 7.1 % | – |" in text
    assert "7 pictures; seeds 0, 1 (mean ± standard deviation)" in text
    assert "`python -m bench.x`" in text


def test_filling_replaces_only_what_is_between_the_markers():
    text = f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n"
    filled = report.fill(text, "new")
    assert filled == f"above\n{report.BEGIN}\n\nnew\n\n{report.END}\nbelow\n"
    assert report.fill(filled, "new") == filled


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError):
        report.fill("nothing here", "new")


def test_check_says_what_is_out_of_date_and_writes_nothing(tmp_path, monkeypatch, capsys):
    pages = [tmp_path / name for name in ("README.md", "results.md")]
    for page in pages:
        page.write_text("old")
    monkeypatch.setattr(report, "ROOT", tmp_path)
    monkeypatch.setattr(report, "pages", lambda: {pages[0]: "old", pages[1]: "new"})
    with pytest.raises(SystemExit, match=r"python -m bench\.report"):
        report.main(["--check"])
    assert capsys.readouterr().out == "results.md is out of date\n" and pages[1].read_text() == "old"
    report.main([])
    assert [page.read_text() for page in pages] == ["old", "new"]
    monkeypatch.setattr(report, "pages", lambda: {page: page.read_text() for page in pages})
    report.main(["--check"])
