"""The kind `report` and its files: figures, HTML that needs nothing else, JSON, and `perturb report`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.attacks import AutoAttack, RobustnessReport
from core.attacks.robustness import robustness_report
from core.runs import finish
from lab import robustness_file
from lab.cli import main
from lab.recipes import Recipe
from lab.results import Result

METHOD = RobustnessReport(eps=2 / 255, levels=2, steps=2, attacked=3, version="quick")


@pytest.fixture(scope="module", autouse=True)
def _short() -> Iterator[None]:
    """AutoAttack in a few steps: what is tested is not what it finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness_report, "AutoAttack", partial(AutoAttack, steps=3, targets=1))
        yield


@pytest.fixture(scope="module")
def result(_short: None) -> Result:
    return finish(Recipe(METHOD, "zoo:scenes-clean", inputs={"n": 24}, seed=5).run())


class Tags(HTMLParser):
    """What a page opens and closes, and the addresses that it asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_figures_and_their_counts(result: Result) -> None:
    found, n = result.figures, result.counts
    assert n["acc"] == n["survives"] == n["corruption/blur"] == n["region/square"] == 24 and n["autoattack"] == 3
    assert found["survives"] <= found["acc"] and found["survives"] <= found["region/square"] <= found["acc"]
    assert found["survives"] == found["region/everywhere"] == result.images["robust"][-1]
    classes = result.images["classes"]
    assert classes[:, 3].sum() == 24 and found["worst"] == pytest.approx(classes[:, 2].min().item())
    assert result.conclusion is not None and any("survives" in point for point in result.curve)


def test_the_page_stands_alone_and_says_n_seed_and_versions(result: Result) -> None:
    page, tags = robustness_file.as_html(result), Tags()
    tags.feed(page)
    assert not tags.open and not tags.asked and "http" not in page
    assert result.conclusion is not None
    told = result.conclusion.text
    for said in ("One seed, 5", "24 test pictures", "AutoAttack, 3 pictures", "zoo:scenes-clean", told, "<svg",
                 *result.versions):  # fmt: skip
        assert said in page, said


def test_a_name_is_not_taken_for_a_tag(result: Result) -> None:
    named = Result(**vars(result) | {"notes": result.notes | {"warnings": "<script>"}})
    assert "<script>" not in robustness_file.as_html(named)
    assert robustness_file.as_json(named)["warnings"] == ["<script>"]


def test_json_has_tables_and_intervals(result: Result) -> None:
    data = json.loads(json.dumps(robustness_file.as_json(result)))
    low, high = data["intervals"]["acc"]
    assert low <= data["figures"]["acc"] <= high and data["recipe"]["seed"] == 5
    assert len(data["curve"]["robust"]) == 3 and {"class", "acc", "robust", "n"} == set(data["classes"][0])


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr("core.attacks.RobustnessReport", lambda attacked: METHOD)
    assert main(["report", "zoo:scenes-clean", "--n", "8", "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert "8 test pictures" in capsys.readouterr().out or (tmp_path / "out" / "report.html").exists()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["recipe"]["data"] == "scenes"
    assert main(["report", "zoo:scenes-clean", "--data", "digits-of-nobody", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("perturb: ")
