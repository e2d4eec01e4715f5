"""The Weights page: an injection from click to figures, and what it shows of a backdoored model."""

from __future__ import annotations

from tests.ui.conftest import fine, until


def test_an_injection_runs_to_its_figures_and_can_be_repaired(visit):
    app = fine(visit("weights.py", model="zoo:scenes-clean", weightbackdoor__steps="6", target="2", badnets__side="5"))
    app.button(key="weights-start").click().run()
    app = fine(until(app, "weights", "done"))
    result = app.session_state["job-weights"].result
    assert result.recipe.inputs["target"] == 2 and result.recipe.inputs["trigger"]["side"] == 5
    assert result.model.target == 2 and result.model.card.backdoored
    assert [metric.label for metric in app.metric] == ["Attack success", "Accuracy", "Agreement"]
    assert app.metric[2].value == f"{100 * result.figures['agreement']:.1f} %"
    assert len(app.get("vega_lite_chart")) == 2
    assert "Median change" in " ".join(caption.value for caption in app.caption)
    assert "Can TSBD remove it again?" in [link.proto.label for link in app.get("page_link")]


def test_a_backdoored_model_gives_way_to_the_clean_one_of_its_data(visit):
    app = fine(visit("weights.py", model="zoo:scenes-blended"))
    assert any("in the sidebar is now zoo:scenes-clean" in caption.value for caption in app.caption)
    assert app.session_state["choice"].model == app.selectbox(key="model").value == "zoo:scenes-clean"
    # The same model chosen by hand gives way again, and any clean one stays.
    app = fine(app.selectbox(key="model").select("zoo:scenes-sig").run())
    assert app.selectbox(key="model").value == "zoo:scenes-clean"
    assert any("zoo:scenes-sig is backdoored already" in caption.value for caption in app.caption)


def test_a_page_opens_with_its_own_model_until_the_visitor_chooses_one(visit):
    app = fine(visit("weights.py"))
    assert app.selectbox(key="model").value == "zoo:scenes-clean"
    app = fine(app.switch_page("compare.py").run())
    assert app.selectbox(key="model").value == "zoo:scenes-badnets"
    fine(app.selectbox(key="model").select("zoo:scenes-sig").run())
    for page in ("scoreboard.py", "compare.py"):
        app = fine(app.switch_page(page).run())
        assert app.session_state["choice"].model == "zoo:scenes-sig"
