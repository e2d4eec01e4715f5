"""The Neurons page: ranked at first click, a channel and a ranking's top set to zero, the other rankings on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.metrics.rankings import overlap
from lab.recipes import Recipe
from lab.settings import settings
from tests.ui.conftest import fine, until
from ui import neurons

EXAMPLE = Path(__file__).parents[2] / "recipes" / "neurons.json"


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    """A run that a busy machine makes slow is not given up: while a test waits, nobody looks at the page."""
    usual = settings.abandon_after
    object.__setattr__(settings, "abandon_after", 600.0)
    yield
    object.__setattr__(settings, "abandon_after", usual)


def metrics(app: Any) -> dict[str, float]:
    return {metric.label: float(metric.value.split()[0]) for metric in app.metric if metric.value != "–"}


def words(app: Any) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_the_first_click_ranks_and_zeroes(visit):
    app = fine(until(visit("neurons.py"), "neurons", "done", seconds=300))
    found, charts = metrics(app), app.get("vega_lite_chart")
    assert found["Attack success"] < 60 < found["ASR, random channels"] and found["Accuracy"] > 85
    assert len(charts) == 2 and "Not run yet: ANP mask, CLP bound, RNP mask" in words(app) and not app.warning
    assert "oracle" in words(app)
    recipe, example = app.session_state["job-neurons"].recipe, Recipe.from_json(EXAMPLE.read_text())
    assert bare(recipe) == bare(example)
    # The same run serves another choice of channels: nothing is computed again but the scores.
    app.selectbox(key="zero").set_value("TAC's top").run()
    assert metrics(fine(app))["Attack success"] < 60
    assert app.session_state["job-neurons"].recipe == recipe


def bare(recipe: Recipe) -> dict[str, Any]:
    """A recipe without the number of pictures, which is small in tests."""
    return json.loads(recipe.to_json().replace('"n": 300', '"n": 0').replace('"n": 60', '"n": 0'))


LAYERS = {"conv1": 4, "layer1.0.conv1": 8}


def test_channels_are_written_and_read_as_a_link_holds_them():
    channels = (("layer1.0.conv1", 7), ("conv1", 0))
    assert neurons.written(channels) == "layer1.0.conv1:7, conv1:0"
    assert neurons.read("layer1.0.conv1:7,conv1:0, conv1:0", LAYERS) == channels and neurons.read(" ", LAYERS) == ()


@pytest.mark.parametrize("text", ["conv1:4", "conv1", "conv9:0", "conv1:-1", "conv1:x", "[a](b)"])
def test_what_is_no_channel_is_one_sentence(text):
    with pytest.raises(ValueError, match="no channel of this model; write layer:channel, such as conv1:0"):
        neurons.read(text, LAYERS)


def test_clicks_add_up_and_a_second_one_takes_a_channel_back():
    first = neurons.changed((), ("conv1", 1))
    both = neurons.changed(first, ("conv1", 2))
    assert both == (("conv1", 1), ("conv1", 2)) and neurons.changed(both, ("conv1", 1)) == (("conv1", 2),)


def test_a_click_adds_to_what_is_zero_and_reset_makes_every_channel_as_it_was(visit):
    app = fine(visit("neurons.py", zero="chosen channels", out="net.layer4.0.conv1:27"))
    first = app.session_state["neurons-shown"]
    assert first == (("net.layer4.0.conv1", 27),)
    app.text_input(key="out").set_value(neurons.written(neurons.changed(first, ("net.conv1", 0)))).run()
    assert fine(app).session_state["neurons-shown"] == (*first, ("net.conv1", 0))
    app = fine(app.button(key="neurons-reset").click().run())
    assert app.session_state["neurons-shown"] == () and app.text_input(key="out").value == ""
    assert {metric.label: metric.delta for metric in app.metric}["Accuracy"] == "n = 100"


def test_a_link_sets_channels_to_zero_and_none_changes_nothing(visit):
    app = visit("neurons.py", zero="chosen channels", out="net.layer4.0.conv1:999")
    assert not app.exception and "no channel of this model" in app.error[0].value
    two = "net.layer4.0.conv1:27, net.layer4.0.conv1:3"
    app = fine(visit("neurons.py", zero="chosen channels", out=two, form="l1"))
    assert len(app.session_state["neurons-shown"]) == 2 and not app.warning
    app = fine(visit("neurons.py", k="0"))
    assert {metric.label: metric.delta for metric in app.metric}["Accuracy"] == "n = 100"


def test_another_ranking_is_computed_on_demand_and_stands_beside_the_first(visit):
    app = fine(until(visit("neurons.py"), "neurons", "done", seconds=300))
    app.selectbox(key="by").set_value("CLP bound").run()
    assert "has not been computed" in app.info[0].value
    app.button(key="neurons-start").click().run()
    app = fine(until(app, "neurons", "done", seconds=300))
    assert not app.info and "Not run yet: ANP mask, RNP mask" in words(app)
    result = app.session_state["job-neurons"].result
    ours = {name.removeprefix("uclc/"): value for name, value in result.images.items() if name.startswith("uclc/")}
    oracle = {name.removeprefix("tac/"): value for name, value in result.images.items() if name.startswith("tac/")}
    assert [result.figures["overlap/uclc/0.5"]] == overlap(ours, oracle, [0.5]) and len(app.get("vega_lite_chart")) == 2
