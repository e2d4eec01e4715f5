"""The Trust page: a map on two scales, then the table as it grows, the slider over layers, curves and the trigger."""

from __future__ import annotations

from tests.ui.conftest import fine, until, words
from ui.views import trust as views


def test_the_map_on_two_scales_then_every_test(visit):
    app = fine(visit("trust.py", n="8", others="no other method", trusttests__points="4", trusttests__draws="1"))
    assert len(app.session_state["trust-views"]) == 3 and "One map on two scales" in words(app)
    app.button(key="trust-start").click().run()
    app = fine(until(app, "trust", "done"))
    result = app.session_state["job-trust"].result
    assert [row["map"] for row in views.rows(result.images)] == ["GradCAM", *views.CONTROLS.values()]
    assert len(app.metric) == 7 and "Once all weights are random" in words(app)
    assert "Without its trigger zoo:scenes-badnets says" in words(app) and "lies on the trigger" in words(app)
    slider = app.slider(key="random-layers")
    assert slider.max == len(result.per_image["layers"]) and slider.value == 2
    assert len(app.session_state["trust-views"]) == 4, "the object, the map, and the stage on two scales"
    slider.set_value(slider.max).run()
    shown = fine(app).session_state["trust-views"]
    assert f"{int(slider.max)} layers random" in shown[2].caption
    assert f"rank correlation of {float(result.images['similarity'][-1]):.2f}" in words(app)
    app.segmented_control(key="guess-trust").set_value("Hardly").run()
    assert "Right" in words(fine(app)) or "Not quite" in words(app)


def test_a_method_that_does_not_fit_is_one_sentence(visit):
    app = visit("trust.py", method="AttentionRollout", n="8", others="no other method")
    assert len(app.error) == 1, "its map cannot be drawn before the run either"
    app.button(key="trust-start").click().run()
    app = until(app, "trust", "failed")
    assert not app.exception and len(app.error) == 1
    assert "needs the attention of a vision transformer" in app.error[0].value


def test_a_slow_method_waits_for_the_run(visit):
    app = fine(visit("trust.py", method="RISE"))
    assert len(app.session_state["trust-views"]) == 1
