"""My models: the model of a run on every page, in a link, and on a server that has never seen the run."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

from core.defenses import FineTuning
from core.runs import Progress, finish
from lab import run_names
from lab.own_models import own_models
from lab.recipes import Recipe
from lab.results import kept
from lab.running.stopped import stopped
from models import load
from tests.ui.conftest import fine, until
from ui.widgets import my_model

SHORT = {"poisonedfinetuning__steps": "20", "poisonedfinetuning__pictures": "200", "trigger": "BadNets"}


@pytest.fixture
def poisoned(visit):
    """A visit whose Poison page has left a model."""
    app = fine(visit("poison.py", model="zoo:scenes-clean", **SHORT))
    app.button(key="poison-start").click().run()
    yield fine(until(app, "poison", "done"))
    own_models.leave(app.session_state["visitor"])


def test_a_model_goes_from_page_to_page(poisoned, visit):
    app = poisoned
    assert "BadNets into scenes-clean" in " ".join(text.value for text in app.markdown)
    app = fine(app.button(key="my-model-use").click().run())
    ref = app.selectbox(key="model").value
    assert run_names.is_run(ref) and app.session_state["choice"].model == ref
    for page in ("neurons.py", "reactivate.py", "regions.py", "compare.py", "triggers.py"):
        app = fine(app.switch_page(page).run())
        assert app.session_state["choice"].model == ref, page
    app = fine(visit("defend.py", model=ref, method="CLP"))
    app.button(key="defend-start").click().run()
    app = fine(until(app, "defend", "done"))
    result = app.session_state["job-defend"].result
    assert [type(link.method).__name__ for link in result.recipe.chain] == ["CLP", "PoisonedFineTuning"]
    assert any("CLP on BadNets into scenes-clean" in text.value for text in app.markdown)


def test_a_cold_server_offers_to_repeat_the_run(poisoned, visit):
    ref = fine(poisoned.button(key="my-model-use").click().run()).selectbox(key="model").value
    first = poisoned.session_state["job-poison"].result.figures
    own_models.leave(poisoned.session_state["visitor"])
    kept.clear()
    app = visit("defend.py", model=ref)
    assert not app.exception and any("does not hold it" in info.value for info in app.info)
    app.button(key="own-model-start").click().run()
    app = fine(until(app, "own-model", "done"))
    app = fine(app.run())
    assert "defend-start" in [button.key for button in app.button]
    assert app.session_state["job-own-model"].result.figures == first


def test_a_broken_name_is_said_in_a_sentence(visit):
    app = visit("defend.py", model="run:abc")
    assert not app.exception and any("copy it again" in error.value for error in app.error)


def test_a_model_can_be_renamed(poisoned):
    app = fine(poisoned.text_input(key="my-model-name").set_value("Trojan horse").run())
    assert any("**Trojan horse**" in text.value for text in app.markdown)


@pytest.mark.parametrize(
    ("page", "start"),
    [
        ("poison", {"model": "zoo:scenes-clean"} | SHORT | {"poisonedfinetuning__steps": "400"}),
        ("weights", {"model": "zoo:scenes-clean", "weightbackdoor__steps": "400"}),
    ],
    ids=["poison", "weights"],
)
def test_what_a_stopped_run_leaves_is_a_model_that_can_be_made_again(visit, page: str, start: dict[str, str]):
    app = fine(visit(f"{page}.py", **start))
    app.button(key=f"{page}-start").click().run()
    job = app.session_state[f"job-{page}"]
    end = time.monotonic() + 90
    while job.record.moments < 3 and time.monotonic() < end:
        time.sleep(0.02)
    app.button(key=f"{page}-stop").click().run()
    app = fine(until(app, page, "stopped"))
    app = fine(app.run())
    try:
        result = job.result
        assert any(", stopped**" in text.value for text in app.markdown)
        model = own_models.find(result.recipe.to_json())
        assert model is not None and model.trigger is not None and model.target == 0
        assert model.card.scores == {} and "stopped before its end" in model.card.done and model.card.backdoored
        app = fine(app.button(key="my-model-use").click().run())
        assert Recipe.from_dict(run_names.decode(app.session_state["choice"].model)[0]) == result.recipe
        again = finish(result.recipe.run())
        assert again.stopped and again.recipe == result.recipe
        for name, value in again.model.state_dict().items():
            assert torch.equal(value, model.state_dict()[name]), name
    finally:
        own_models.leave(app.session_state["visitor"])


def test_a_run_that_is_stopped_before_its_model_moves_leaves_none():
    recipe = Recipe(FineTuning(), "zoo:scenes-clean")
    start = load("zoo:scenes-clean")
    for stage, moments, named in (("before", 0, False), ("after", 5, False), ("tune", 5, True)):
        result = stopped(recipe, [], Progress(stage, 1, 9, model=start), moments)
        job = SimpleNamespace(ended=True, recipe=recipe, result=result)
        assert (my_model.left(job) is result) == named
