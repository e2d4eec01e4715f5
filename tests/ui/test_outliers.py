"""The Outliers page: a run with its charts and pictures, the rounds, and what it needs first."""

from __future__ import annotations

from typing import Any

from tests.ui.conftest import fine, until

SMALL = {
    "n": "50", "many": "100", "itsr__pretrain": "1", "itsr__rounds": "2", "itsr__refine": "1", "itsr__retrain": "1",
}  # fmt: skip


def words(app: Any) -> str:
    return " ".join(part.value for part in (*app.markdown, *app.caption))


def test_a_run_its_charts_and_the_rounds(visit):
    app = fine(visit("outliers.py", **SMALL))
    app.multiselect(key="detectors").set_value(["IsolationForest"]).run()
    app.button(key="outliers-start").click().run()
    app = fine(until(app, "outliers", "done"))
    labels = [metric.label for metric in app.metric]
    assert labels == ["Balanced accuracy", "Ceiling of its rule", "AUROC", "BAcc, other kinds"]
    job = app.session_state["job-outliers"]
    assert job.result.conclusion.text in words(app) and "ITSR took" in words(app)
    assert len(app.get("vega_lite_chart")) >= 6 and "Strangest to ITSR" in words(app)
    app.select_slider(key="round").set_value("round 1").run()
    assert fine(app).session_state["job-outliers"] is job


def test_a_trigger_in_scenes_and_pictures_of_ones_own(visit):
    app = fine(visit("outliers.py", pictures="scenes", **SMALL))
    app.selectbox(key="normal").set_value("all").run()
    app.selectbox(key="outliers_from").set_value("yours").run()
    assert "Give pictures that are outliers first." in words(fine(app))
