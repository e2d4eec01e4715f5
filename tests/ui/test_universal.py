"""The page Universal: a perturbation and a patch from click to tables, the chosen picture with them, links."""

from __future__ import annotations

import pytest

from lab import robust_zoo
from tests.ui.conftest import fine, until, words

UNIVERSAL = {"n": "100", "universal__passes": "2", "universal__pictures": "50"}
PATCH = {"n": "100", "method": "Patch", "patch__steps": "2", "patch__pictures": "40"}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robust_zoo, "MOST", 1)


def test_a_perturbation_from_click_to_tables(visit):
    app = fine(visit("universal.py", **UNIVERSAL))
    app.button(key="universal-start").click().run()
    app = fine(until(app, "universal", "done", seconds=120))
    result = app.session_state["job-universal"].result
    assert [metric.label for metric in app.metric] == ["Fooled", "Fooled, training", "Control", "Other networks"]
    assert result.conclusion.text in words(app) and "not made on, one seed" in words(app)
    assert list(app.dataframe[0].value["network"]) == ["zoo:scenes-clean", "zoo:scenes-at"]
    assert not app.get("download_button") or all("Patch" not in b.proto.label for b in app.get("download_button"))
    assert len(app.get("vega_lite_chart")) == 2, "the curve, and what is said of the chosen picture"


def test_a_patch_can_be_moved_on_the_chosen_picture_and_printed(visit):
    app = fine(visit("universal.py", **PATCH))
    app.button(key="universal-start").click().run()
    app = fine(until(app, "universal", "done", seconds=120))
    recipe = app.session_state["job-universal"].recipe
    assert recipe.inputs["target"] == 0 and recipe.method.steps == 2
    assert any(button.proto.label == "Patch as PNG" for button in app.get("download_button"))
    before = app.main.get("image")[-1].proto.SerializeToString()
    app.slider(key="spot-x").set_value(-0.6).run()
    assert fine(app).main.get("image")[-1].proto.SerializeToString() != before


def test_a_link_sets_the_goal(visit):
    app = fine(visit("universal.py", **UNIVERSAL, goal="ring"))
    assert not app.warning
    app.button(key="universal-start").click().run()
    assert app.session_state["job-universal"].recipe.inputs == {"n": 100, "target": 5}


def test_a_patch_whose_smallest_side_is_the_larger_is_one_sentence(visit):
    app = visit("universal.py", **PATCH, patch__smallest="0.6", patch__largest="0.5")
    app.button(key="universal-start").click().run()
    app = until(app, "universal", "failed", "done", seconds=60)
    assert not app.exception and any("smallest" in error.value for error in app.error)
