"""The page Attacks: pictures side by side, the table, the curves, heatmaps, its link, and bad input."""

from __future__ import annotations

import pytest

from lab import robust_zoo
from tests.ui.conftest import fine, until, words

SMALL = {"n": "50", "robustcurve__levels": "1", "robustcurve__steps": "2"}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.attack_variants import variants

    quick = dict(list(variants(8 / 255, (32, 32)).items())[:3])
    monkeypatch.setattr("lab.kinds.budget.chosen", lambda eps, size, which: quick)
    monkeypatch.setattr(robust_zoo, "MOST", 1)


def test_from_click_to_table_curves_and_heatmaps(visit, monkeypatch):
    app = fine(visit("attacks.py", **SMALL))
    assert "Press **Attack**" in words(app) and not app.dataframe
    app.button(key="attacks-start").click().run()
    app = fine(until(app, "attacks", "done", seconds=200))
    result = app.session_state["job-attacks"].result
    table = app.dataframe[0].value
    assert list(table["attack"]) == ["FGSM", "PGD L∞", "PGD L2", "random noise"]
    assert result.conclusion.text in words(app) and "same 50 test pictures" in words(app)
    assert [metric.label for metric in app.metric] == ["Accuracy", "Robust accuracy", "Under noise", "Best beside it"]
    assert len(app.get("vega_lite_chart")) == 2, "curves and losses"
    before = len(app.main.get("image"))
    app.selectbox(key="attack").set_value("PGD L2").run()
    assert len(fine(app).main.get("image")) == before
    drawn: list[list[str]] = []
    monkeypatch.setattr("ui.charts.robustness.budgets", lambda rows, names, unit: drawn.append(names))
    app.selectbox(key="model").select("zoo:scenes-badnets").run()
    assert drawn[-1][0] == result.recipe.model != fine(app).session_state["choice"].model, "it was another that ran"


def test_a_link_sets_norm_budget_and_goal(visit):
    app = fine(visit("attacks.py", **SMALL, robustcurve__norm="l2", goal="ring"))
    assert not app.warning
    app.button(key="attacks-start").click().run()
    recipe = app.session_state["job-attacks"].recipe
    assert recipe.method.norm == "l2" and recipe.inputs["target"] == 5 and "attacks" not in recipe.inputs


def test_all_attacks_are_one_click_away(visit):
    app = fine(visit("attacks.py", **SMALL))
    app.toggle(key="all").set_value(True).run()
    app.button(key="attacks-start").click().run()
    assert fine(app).session_state["job-attacks"].recipe.inputs["attacks"] == "all"


def test_the_pictures_own_class_as_a_goal_is_one_sentence(visit):
    app = visit("attacks.py", **SMALL, images="9", goal="cross")
    app.button(key="attacks-start").click().run()
    app = until(app, "attacks", "failed", "done", seconds=60)
    assert not app.exception and any("own class" in error.value for error in app.error)
