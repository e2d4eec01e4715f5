"""The Heatmaps page: two methods, two models, two pictures, any layer; and the same list of methods on every page."""

from __future__ import annotations

from typing import Any

from core.explain import EXPLAINERS
from tests.ui.conftest import fine, until, words

NAMES = [cls.__name__ for cls in EXPLAINERS]


def done(app: Any) -> Any:
    return fine(until(app, "heatmaps", "done"))


def maps(app: Any) -> int:
    return len(app.session_state["heatmaps-views"])


def test_the_first_click_shows_two_methods_and_how_far_they_agree(visit):
    app = done(visit("heatmaps.py"))
    assert maps(app) == 3 and [metric.label for metric in app.metric] == ["Agreement"]
    assert "The rank correlation of the two heatmaps is" in words(app) and "each map's own largest value" in words(app)
    assert app.selectbox(key="method").options == app.selectbox(key="beside").options == NAMES


def test_a_layer_signed_and_one_scale(visit):
    app = done(visit("heatmaps.py", beside="HiResCAM"))
    layers = app.selectbox(key="layer").options
    assert layers[0] == "the last map" and any("(32 × 32)" in layer for layer in layers)
    app.selectbox(key="layer").set_value(next(layer for layer in layers if "(16 × 16)" in layer)).run()
    app = done(app)
    recipe = app.session_state["job-heatmaps"].recipe
    assert recipe.method.layer and recipe.inputs["second"]["layer"] == recipe.method.layer
    app.toggle(key="signed").set_value(True).run()
    app.segmented_control(key="scale-method").set_value("one").run()
    assert "the largest value of all these maps" in words(fine(app)) and "against" in words(app)


def test_two_models_and_two_pictures(visit):
    app = done(visit("heatmaps.py", against="model", other="zoo:scenes-clean", method="LayerCAM", explained="ring"))
    assert maps(app) == 3 and "Explained is **ring**" in words(app)
    app.selectbox(key="against").set_value("picture").run()
    app = done(app)
    assert maps(app) == 4 and "Picture 2: explained is" in words(app) and not app.metric
    app.selectbox(key="against").set_value("nothing").run()
    assert maps(done(app)) == 2


def test_rise_sharpens(visit):
    app = visit("heatmaps.py", method="RISE", rise__masks="20000", against="nothing")
    job = app.session_state["job-heatmaps"]
    for _ in range(600):
        if job.progress is not None and "map" in job.progress.images:
            break
        app.run()
    assert maps(fine(app.run())) == 2, "the map so far"
    app.number_input(key="rise-masks").set_value(10).run()
    done(app)
    assert job.ended, "nobody waits for it any more"


def test_a_method_that_does_not_fit_is_one_sentence(visit):
    app = until(visit("heatmaps.py", method="AttentionRollout"), "heatmaps", "failed")
    assert not app.exception and len(app.error) == 1
    assert "needs the attention of a vision transformer" in app.error[0].value


def test_every_page_offers_the_same_list_and_draws_by_it(visit):
    for page in ("triggers.py", "compare.py", "flatness.py"):
        app = fine(visit(page, explainer="LRP"))
        assert app.selectbox(key="explainer").options == NAMES and app.selectbox(key="explainer").value == "LRP"
    from ui import looks

    assert {key[-1] for key in looks._seen._held if isinstance(key, tuple)} >= {"LRP"}
