"""The Landscape page: a line, a plane as a surface, two models, and the examples of α = 0."""

from __future__ import annotations

from typing import Any

from tests.ui.conftest import fine, until, words

SMALL = {"n": "16", "landscape__steps": "1", "landscape__points": "2"}


def run(app: Any) -> Any:
    app.button(key="landscape-start").click().run()
    return fine(until(app, "landscape", "done", seconds=200))


def test_a_line_and_the_misleading_one_without_another_run(visit):
    app = run(fine(visit("landscape.py", **SMALL)))
    assert [metric.label for metric in app.metric] == ["Mean rise", "Loss", "Rise, examples kept"]
    assert len(app.get("vega_lite_chart")) == 1 and "Dashed" not in words(app)
    job = app.session_state["job-landscape"]
    app.toggle(key="kept").set_value(True).run()
    assert "Dashed: every network is shown the examples that were found at α = 0." in words(fine(app))
    assert app.session_state["job-landscape"] is job and job.result.conclusion.text in words(app)


def test_a_plane_of_two_models_as_heat_maps_and_as_surfaces(visit):
    link = SMALL | {"landscape__shape": "plane", "other": "zoo:scenes-badnets", "kept": "true"}
    app = run(fine(visit("landscape.py", **link)))
    assert not app.warning and app.toggle(key="kept").value
    assert len(app.get("vega_lite_chart")) == 2 and "Both on one scale." in words(app)
    assert "Mean rise, other" in [metric.label for metric in app.metric]
    app.segmented_control(key="how").set_value("surface").run()
    assert len(fine(app).get("plotly_chart")) == 2 and not app.get("vega_lite_chart")


def test_a_model_of_another_shape_is_one_sentence(visit):
    app = fine(visit("landscape.py", other="zoo:gtsrb-clean", **SMALL))
    app.button(key="landscape-start").click().run()
    app = until(app, "landscape", "failed")
    assert not app.exception and len(app.error) == 1 and "choose data" in app.error[0].value


def test_models_of_the_same_shape_are_offered(visit):
    app = fine(visit("landscape.py"))
    options = app.selectbox(key="other").options
    assert options[0] == "no other model" and "zoo:scenes-badnets" in options and "zoo:cifar10-clean" not in options
    assert "zoo:scenes-clean" not in options, "the chosen model itself"
