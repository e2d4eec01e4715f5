"""A model without a backdoor: each page that is about backdoors says so, says what a trigger scores, and leads on."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

import models
from core.attacks import WeightBackdoor
from core.defenses import FineTuning
from lab.kinds.shared.no_backdoor import NONE_KNOWN, TRAINED_WITHOUT, predicate
from lab.recipes import Recipe
from models.shelf import HUB, ZOO
from tests.ui.conftest import fine, until
from ui.pages import PAGES, page_of
from ui.sidebar import OWN_DATA
from ui.widgets import clean_model

CLEAN, BADNETS = "zoo:scenes-clean", "zoo:scenes-badnets"
TOLD = ["triggers", "defend", "detect", "neurons", "reactivate", "compare"]
SCORING = [slug for slug in TOLD if slug != "triggers"]
SAID = f"**{CLEAN}** {TRAINED_WITHOUT}."


def words(app) -> str:
    return " ".join(text.value for text in [*app.markdown, *app.caption])


@pytest.mark.parametrize("slug", TOLD)
def test_a_page_says_that_a_clean_model_has_no_backdoor_and_opens_as_one(visit, slug):
    app = fine(visit(f"{slug}.py", model=CLEAN))
    backdoored = fine(visit(f"{slug}.py", model=BADNETS))
    assert SAID in words(app) and "without a backdoor" not in words(backdoored)
    assert app.title[0].value == backdoored.title[0].value == page_of(slug).title
    assert opening(app) != opening(backdoored)
    assert "Watch" in opening(backdoored) and "known backdoor" not in opening(backdoored)
    assert app.button(key="clean-model-other") and not [b for b in backdoored.button if b.key == "clean-model-other"]


def opening(app) -> str:
    return next(text.value for text in app.main.markdown)


@pytest.mark.parametrize("slug", SCORING)
def test_the_score_of_a_trigger_on_it_is_that_of_the_triggers_page(visit, slug):
    app = fine(until(visit(f"{slug}.py", model=CLEAN), clean_model.SLOT, "done"))
    result = app.session_state[f"job-{clean_model.SLOT}"].result
    assert result.recipe == clean_model.floor(CLEAN, "scenes")
    low, high = result.interval("asr")
    said = next(text for text in words(fine(app)).split("Stamped on its pictures") if "by itself" in text)
    assert f"{100 * result.figures['asr']:.1f} % of {result.counts['asr']} pictures to **" in said
    assert f"{100 * low:.1f} % to {100 * high:.1f} %" in said and result.counts["asr"] > 300


def test_the_triggers_page_scores_the_same_run(visit):
    app = fine(until(visit("triggers.py", model=CLEAN), "triggers", "done"))
    assert app.session_state["job-triggers"].recipe == clean_model.floor(CLEAN, "scenes")
    assert f"job-{clean_model.SLOT}" not in app.session_state


@pytest.mark.parametrize("slug", TOLD)
def test_the_way_to_put_one_in_is_each_page_that_does_with_this_model(visit, monkeypatch, slug):
    gone: list[str] = []
    # AppTest cannot go to another page from a callback.
    monkeypatch.setattr("ui.widgets.clean_model.st.switch_page", lambda page, query_params: gone.append(page))
    app = fine(visit(f"{slug}.py", model=CLEAN))
    injecting = [page for page in PAGES if page.injects]
    assert [b.label for b in app.button if "Put one in" in b.label] == [f"Put one in: {p.title}" for p in injecting]
    for page in injecting:
        app.button(key=f"clean-model-{page.slug}").click().run()
        assert gone.pop() == page.file
        assert (app.session_state["model"], app.session_state["data"]) == (CLEAN, OWN_DATA)


def test_the_pages_that_put_a_backdoor_in_say_so():
    assert {page.kind for page in PAGES if page.injects} == {"injection", "training"}


@pytest.mark.parametrize("slug", TOLD)
def test_the_other_way_on_is_the_pages_backdoored_model_with_its_own_data(visit, slug):
    app = fine(visit(f"{slug}.py", model=CLEAN, data="scenes"))
    app.button(key="clean-model-other").click().run()
    choice = fine(app).session_state["choice"]
    assert choice.model == (page_of(slug).model or BADNETS) == app.selectbox(key="model").value
    assert app.session_state["data"] == OWN_DATA and choice.data == "scenes"
    assert SAID not in words(app) and "known backdoor" not in opening(app)


def test_compare_with_a_link_goes_on_without_its_run(visit):
    recipe = Recipe(FineTuning(steps=5), CLEAN, "scenes", {"n": 50})
    app = fine(visit("compare.py", recipe=recipe.to_json()))
    assert SAID in words(app)
    app.button(key="clean-model-other").click().run()
    assert SAID not in words(fine(app)) and "FineTuning" not in app.selectbox(key="compare-run").value
    assert BADNETS in app.selectbox(key="compare-run").value


def test_compare_of_a_repair_after_an_injection_is_about_a_backdoored_model(visit):
    injected = Recipe(WeightBackdoor(steps=5), CLEAN, "scenes", {"n": 50, "trigger": {"method": "BadNets"}})
    app = fine(visit("compare.py", model=CLEAN, recipe=Recipe(FineTuning(), injected, "scenes", {"n": 50}).to_json()))
    assert SAID not in words(app) and "known backdoor" not in opening(app)


def test_compare_shows_the_run_of_a_page_only_where_it_is_one_on_the_chosen_model(visit):
    app = fine(visit("defend.py", model=CLEAN, method="FineTuning", finetuning__steps="5"))
    app.button(key="defend-start").click().run()
    fine(until(app, "defend", "done"))
    app = fine(app.switch_page("compare.py").run())
    assert "FineTuning" in app.selectbox(key="compare-run").value
    assert [metric.label for metric in app.metric] == ["Accuracy"] and "about the triggered picture" not in words(app)
    app.button(key="clean-model-other").click().run()
    assert "TSBD" in fine(app).selectbox(key="compare-run").value


def test_a_repair_of_a_clean_model_is_a_control_of_what_it_costs(visit):
    app = fine(visit("defend.py", model=CLEAN, method="FineTuning", finetuning__steps="5"))
    assert app.segmented_control(key="guess-defend").label == "How much accuracy will the repair cost?"
    app.button(key="defend-start").click().run()
    app = fine(until(app, "defend", "done"))
    result = app.session_state["job-defend"].result
    assert result.conclusion.outcome == "no trigger" and TRAINED_WITHOUT in result.conclusion.text
    assert [metric.label for metric in app.metric] == ["Accuracy"]
    app.segmented_control(key="guess-defend").set_value("More than five points").run()
    assert "points" in words(fine(app)) and "Not quite" in words(app)


def test_the_score_gives_way_to_another_run_of_the_visitor(visit):
    app = visit("defend.py", model=CLEAN, method="FineTuning", finetuning__steps="5000")
    until(app, clean_model.SLOT, "done")
    app.button(key="defend-start").click().run()
    until(app, "defend", "running")
    app.number_input(key="images").set_value(3).run()
    assert "by itself" in words(app)  # what is known stays
    app.session_state[f"job-{clean_model.SLOT}"] = None
    app.run()
    assert "once your other run has ended" in words(app)
    app.button(key="defend-stop").click().run()
    until(app, "defend", "stopped")
    assert "by itself" in words(until(app, clean_model.SLOT, "done"))


def test_a_model_that_nobody_has_checked_is_not_said_to_be_clean(visit, tmp_path):
    known = models.shipped(CLEAN)
    assert predicate(known) == TRAINED_WITHOUT
    assert predicate(dataclasses.replace(known, origin=HUB)) == NONE_KNOWN
    folder = shutil.copytree(ZOO / "scenes-clean", tmp_path / "own")
    app = fine(visit("defend.py", model=str(folder)))
    assert f"{NONE_KNOWN}. Nobody has checked it." in words(app) and TRAINED_WITHOUT not in words(app)


def test_a_folder_with_a_backdoored_model_opens_as_one_once_it_is_loaded(visit, tmp_path):
    folder = shutil.copytree(ZOO / "scenes-badnets", tmp_path / "own")
    app = fine(visit("defend.py", model=str(folder)))
    assert "attack success" in opening(app) and len(app.title) == 1
    assert not [button for button in app.button if button.key == "clean-model-other"]


def test_data_that_do_not_fit_leave_the_score_open_in_a_sentence(visit, monkeypatch):
    def refuse(recipe, visitor):
        raise ValueError("These data are not at hand; choose scenes.")

    monkeypatch.setattr("lab.running.pool.JobPool.submit", lambda self, recipe, visitor: refuse(recipe, visitor))
    app = fine(visit("detect.py", model=CLEAN))
    assert "cannot be measured here. These data are not at hand" in words(app)


def test_a_page_that_ends_at_the_notice_still_has_the_sidebar(visit):
    app = fine(visit("neurons.py", model=CLEAN))
    assert app.sidebar.get("image") and not app.error
