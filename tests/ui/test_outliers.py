"""The Outliers page: a run with its charts and pictures, the rounds, and what it needs first."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import ROUTER, fine, until
from ui.widgets import images

SMALL = {
    "n": "50", "many": "100", "itsr__pretrain": "1", "itsr__rounds": "2", "itsr__refine": "1", "itsr__retrain": "1",
}  # fmt: skip


def words(app: Any) -> str:
    return " ".join(part.value for part in (*app.markdown, *app.caption))


@pytest.mark.parametrize(("pictures", "held", "tested"), [("digits", "6 of 113", 122), ("scenes", "26 of 526", 400)])
def test_a_stored_run_is_shown_before_anything_is_trained(visit, pictures: str, held: str, tested: int):
    app = fine(visit("outliers.py", pictures=pictures))
    assert "job-outliers" not in app.session_state
    [told] = [info.value for info in app.info if "stored run" in info.value]
    assert held in told and f"{tested} test pictures" in told and "seed 0" in told and "the same run" in told
    assert all(metric.value != "–" for metric in app.metric) and len(app.metric) == 4
    assert "ITSR took" in words(app) and "Strangest to ITSR" in words(app) and "What came out of it." in words(app)
    assert len(app.get("vega_lite_chart")) >= 6
    moved = fine(app.slider(key="contamination").set_value(10).run())
    assert any("a run of your settings" in info.value for info in moved.info)


def test_another_run_takes_the_place_of_the_stored_one(visit):
    app = visit("outliers.py", **SMALL)
    app.multiselect(key="detectors").set_value([]).run()
    app.button(key="outliers-start").click().run()
    assert not any("stored run" in info.value for info in fine(app).info)
    app = fine(until(app, "outliers", "done"))
    assert not any("stored run" in info.value for info in app.info) and "What came out." in words(app)


@pytest.mark.parametrize("beside", [["OneClassSVM", "DeepSVDD"], ["IsolationForest"], []])
def test_a_copied_link_restores_the_detectors_beside(visit, beside: list[str]):
    app = visit("outliers.py", pictures="scenes")
    app.multiselect(key="detectors").set_value(beside).run()
    app.session_state["link-outliers"] = True
    [address] = [block.value for block in app.run().code if "outliers?" in block.value]
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert query["detectors"] == (beside or [""])
    again = AppTest.from_file(ROUTER, default_timeout=120)
    for name, values in query.items():
        again.query_params[name] = values
    again.switch_page("outliers.py")
    fine(again.run())
    assert again.multiselect(key="detectors").value == beside
    assert again.selectbox(key="normal").value == "background=plain" and not again.warning


def test_a_detector_that_there_is_not_is_told(visit):
    app = fine(visit("outliers.py", detectors="Magic"))
    [told] = [warning.value for warning in app.warning]
    assert "The link says detectors = Magic, which is not available here" in told


def test_each_set_begins_with_its_own_normal_pictures_and_outliers(visit):
    app = fine(visit("outliers.py"))
    assert app.selectbox(key="normal").value == "class=6" and app.selectbox(key="outlier_class").value == "4"
    app.selectbox(key="pictures").set_value("scenes").run()
    assert fine(app).selectbox(key="normal").value == "background=plain"
    assert app.selectbox(key="outlier_label").value == "background=stripes"
    app.selectbox(key="normal").set_value("all").run()
    app.selectbox(key="outliers_from").set_value("trigger").run()
    assert fine(app).selectbox(key="normal").value == "all" and app.selectbox(key="outlier_trigger").value == "BadNets"
    app.selectbox(key="pictures").set_value("digits").run()
    assert fine(app).selectbox(key="normal").value == "class=6"
    assert app.selectbox(key="outliers_from").value == "class"


def test_pictures_are_encoded_once(visit, monkeypatch):
    app = fine(visit("outliers.py"))
    made: list[Any] = []
    real = images.encoded
    monkeypatch.setattr(images, "encoded", lambda picture: made.append(picture) or real(picture))
    fine(app.run())
    assert not made


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
