"""The Concepts page: a run, its charts and pictures, the slider without another run, and what it needs first."""

from __future__ import annotations

from tests.ui.conftest import fine, until, words

SMALL = {"n": "250", "layer": "layer2", "tcav__draws": "2", "tcav__controls": "2", "beside": "FastCAV"}


def test_a_run_and_then_the_picture_is_moved_without_another(visit):
    app = fine(visit("concepts.py", value_texture="dots", **SMALL))
    assert app.selectbox(key="value_texture").value == "dots" and app.selectbox(key="method").value == "TCAV"
    app.button(key="concepts-start").click().run()
    app = fine(until(app, "concepts", "done"))
    labels = [metric.label for metric in app.metric]
    assert labels[:4] == ["Recall at 5 % FPR", "Recall", "False positives", "Spread of recall"] and len(labels) == 8
    assert "Nearest to the concept" in words(app) and len(app.get("vega_lite_chart")) >= 3
    job = app.session_state["job-concepts"]
    assert job.recipe.inputs["concept"] == "texture=dots" and job.result.conclusion.text in words(app)
    app.slider(key="strength").set_value(-2.0).run()
    assert "Moved by -2, the picture" in words(fine(app)) and app.session_state["job-concepts"] is job


def test_a_class_and_a_vector_alone(visit):
    app = fine(visit("concepts.py", source="class", of_class="cross", **SMALL | {"beside": "none"}))
    app.button(key="concepts-start").click().run()
    app = fine(until(app, "concepts", "done"))
    assert len(app.metric) == 4 and "class: cross" in words(app)


def test_other_data_and_pictures_of_ones_own_come_first(visit):
    app = fine(visit("concepts.py", source="yours"))
    assert "Say first which pictures hold the concept." in words(app)
    app.selectbox(key="source").set_value("other data").run()
    assert app.text_input(key="elsewhere").value.startswith("hf:")
    app.text_input(key="elsewhere").set_value("scenes").run()
    assert "Say first" in words(fine(app))


def test_too_few_pictures_is_one_sentence(visit):
    app = fine(visit("concepts.py", source="class", of_class="cross", **SMALL | {"n": "100"}))
    app.button(key="concepts-start").click().run()
    app = until(app, "concepts", "failed", "done")
    assert not app.exception
    if app.session_state["job-concepts"].state == "failed":
        assert len(app.error) == 1 and "give at least 10" in app.error[0].value
