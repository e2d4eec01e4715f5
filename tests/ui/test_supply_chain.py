"""The Supply chain page: every class has a trigger, and the table says what each one opens."""

from __future__ import annotations

import pytest

import models
from tests.ui.conftest import fine, until

FLAREON = "zoo:scenes-flareon-teaching"


@pytest.fixture
def need_flareon() -> None:
    if FLAREON not in {card.ref for card in models.available()}:
        pytest.skip(f"needs the shipped model {FLAREON} (make zoo)")


def test_the_table_comes_with_the_figures(visit, need_flareon):
    app = fine(until(visit("supply_chain.py", model=FLAREON, into="ring"), "supply_chain", "done"))
    result = app.session_state["job-supply_chain"].result
    assert result.images["answers"].shape == (11, 10, 10)
    assert app.metric[0].label == "Attack success"
    assert app.metric[0].value == f"{100 * result.figures['asr']:.1f} %"
    assert len(app.get("vega_lite_chart")) == 1
    assert any("moved for ring" in image.captions[0] for image in app.get("image"))


def test_motions_too_small_to_work_reach_no_class_whatever_was_guessed(visit, need_flareon):
    """At s = 1 attack success is a few percent; the answer "All of them" was called right."""
    app = fine(until(visit("supply_chain.py", model=FLAREON, flareon__amplify="1"), "supply_chain", "done"))
    app.segmented_control(key="guess-supply_chain").set_value("All of them").run()
    result = app.session_state["job-supply_chain"].result
    assert result.recipe.method.amplify == 1 and result.figures["asr"] < 0.2
    told = next(text.value for text in fine(app).markdown if "classes are reached" in text.value)
    assert "Not quite: None. 0 of 10 classes are reached" in told


def test_the_page_opens_with_a_model_that_fits(visit, need_flareon):
    app = fine(visit("supply_chain.py"))
    assert app.session_state["choice"].model == app.selectbox(key="model").value == FLAREON
    assert not any("in the sidebar is now" in caption.value for caption in app.caption)


def test_another_model_gives_way_to_the_shipped_one_in_the_sidebar_too_and_comes_back(visit, need_flareon):
    app = fine(visit("supply_chain.py", model="zoo:scenes-sig"))
    assert any(f"in the sidebar is now {FLAREON}" in caption.value for caption in app.caption)
    assert app.session_state["choice"].model == app.selectbox(key="model").value == FLAREON
    app = fine(app.switch_page("triggers.py").run())
    assert app.selectbox(key="model").value == "zoo:scenes-sig"
