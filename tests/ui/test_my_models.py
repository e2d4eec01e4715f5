"""My models: the model of a run on every page, in a link, and on a server that has never seen the run."""

from __future__ import annotations

import pytest

from lab import run_names
from lab.own_models import own_models
from lab.results import kept
from tests.ui.conftest import fine, until

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
