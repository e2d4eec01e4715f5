"""The page Attention: E of the chosen picture, two trainings from click to figures, its link, and bad input."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lab import bias_table, tables
from tests.ui.conftest import fine, until, words

SMALL = {
    "explanationconsistency__epochs": "1", "explanationconsistency__pictures": "64", "pgd__steps": "1", "n": "100",
    "explanationconsistency__refresh": "1",
}  # fmt: skip


def run(app: Any) -> Any:
    app.button(key="attention-start").click().run()
    return fine(until(app, "attention", "done", seconds=300))


def formulas(app: Any) -> list[str]:
    """E and v of the picture, with their numbers."""
    begin = "$\\displaystyle E = ", "$\\displaystyle v = 1"
    return [block.value for block in app.markdown if block.value.startswith(begin)]


def test_e_of_the_picture_stands_with_its_numbers_before_any_run(visit):
    app = fine(visit("attention.py", pgd__steps="1"))
    told = " ".join(formulas(app))
    s, same, e, v = map(float, re.search(
        r"= ([\d.]+) \\cdot (\d) = ([\d.]+)\$ .*v = 1 - E = ([\d.]+)", told).groups())  # fmt: skip
    assert e == pytest.approx(s * same, abs=0.011) and v == pytest.approx(1 - e, abs=0.011)
    assert "Heatmaps of the true class" in words(app)


def test_without_the_answer_and_by_another_similarity(visit):
    link = {"pgd__steps": "1", "consistency__answer": "false", "consistency__similarity": "SSIM"}
    app = fine(visit("attention.py", **link))
    formula = formulas(app)[0]
    assert r"\mathrm{SSIM}(H, \hat H) =" in formula and r"\cdot" not in formula


def test_two_trainings_have_their_figures_and_histogram(visit):
    app = fine(visit("attention.py", **SMALL))
    before = len(app.get("vega_lite_chart"))
    app = run(app)
    result = app.session_state["job-attention"].result
    assert len(app.metric) == 10 and result.notes == {"method": "weights 1 − E", "beside": "plain training"}
    assert len(app.get("vega_lite_chart")) == before + 2, "the curve, and the histogram of E"
    assert result.conclusion.text in words(app) and "On the same 100 pictures" in words(app)
    assert any("in the sidebar's list as" in text.value for text in app.markdown), "the model that it leaves"


def test_one_training_alone_by_a_link(visit):
    link = SMALL | {"beside": "nothing", "explanationconsistency__weights": "loss", "consistency__share": "0.2"}
    app = fine(visit("attention.py", **link))
    assert not app.warning
    app.button(key="attention-start").click().run()
    recipe = app.session_state["job-attention"].recipe
    assert recipe.method.weights == "loss" and recipe.method.consistency.share == 0.2 and set(recipe.inputs) == {"n"}
    app.button(key="attention-stop").click().run()
    until(app, "attention", "stopped")


def test_data_without_masks_are_one_sentence_and_e_is_still_shown(visit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lab.kinds.shared.bias_test.generated", lambda data: None)
    app = visit("attention.py", pgd__steps="1")
    assert not app.exception and len(app.error) == 1 and "no masks of its objects" in app.error[0].value
    assert any("v = 1 - E" in formula for formula in formulas(app))


def test_the_shipped_networks_are_told_from_the_stored_table(visit):
    app = fine(visit("attention.py", pgd__steps="1"))
    assert bias_table.said() in words(app) and bias_table.behind() in words(app)


def test_without_a_table_the_page_says_so(visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(tables, "TABLES", tmp_path)
    app = fine(visit("attention.py", pgd__steps="1"))
    assert "python -m bench.bias" in app.info[0].value


def test_a_network_without_a_map_is_one_sentence(visit, monkeypatch: pytest.MonkeyPatch):
    def none(model, images, layer=""):
        raise ValueError("The model has no layer with a map of more than one position, so no heat map can be taken.")

    monkeypatch.setattr("core.explain.heatmaps.cam.place", none)
    app = visit("attention.py", pgd__steps="1")
    assert not app.exception and len(app.error) == 1 and "no heat map can be taken" in app.error[0].value
