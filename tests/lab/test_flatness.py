"""The kinds `flatness` and `landscape`: figures are the measures' own, snippets agree, bad input is one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import core.data
from core.data import load_data
from core.flatness import AverageFlatness, Landscape, Rescaling, WorstFlatness
from core.runs import finish
from lab import loading
from lab.recipes import Recipe
from lab.running.curve import Curve
from lab.running.stopped import stopped

SHORT: dict[str, Any] = {"steps": 2, "eps": 0.02}
pytestmark = pytest.mark.usefixtures("small")


def test_average_flatness_has_its_interval_and_draws(tiny_model: str) -> None:
    recipe = Recipe(AverageFlatness(draws=3, **SHORT), tiny_model, inputs={"n": 20})
    result = finish(recipe.run())
    alone: Any = recipe.method
    found = finish(alone.run(loading.classifier(tiny_model), loading.images("scenes", "test", limit=20)))
    assert result.figures["flatness"] == found.value and result.figures["reference"] == found.reference
    assert (result.figures["low"], result.figures["high"]) == found.interval
    assert result.images["draws"].tolist() == pytest.approx(list(found.draws)) and result.counts["flatness"] == 20
    assert Recipe.from_query(recipe.to_query()) == recipe


def test_worst_flatness_has_tries_and_no_interval(tiny_model: str) -> None:
    result = finish(Recipe(WorstFlatness(restarts=2, **SHORT), tiny_model, inputs={"n": 20}).run())
    assert result.figures["flatness"] == pytest.approx(float(result.images["draws"].max()))
    assert "low" not in result.figures and result.recipe.kind.questions["size"].conclude(result).text


def test_rescaling_has_both_networks(tiny_model: str) -> None:
    result = finish(Recipe(Rescaling(draws=2, probes=1, **SHORT), tiny_model, inputs={"n": 20}).run())
    found = result.figures
    assert found["flatness"] == pytest.approx(found["before/flatness"], abs=1e-5) and found["gap"] < 1e-5
    assert found["before/absolute"] == found["before/flatness"] and found["trace"] != found["before/trace"]
    assert "conv" in result.notes["first"] and result.conclusion is not None


def test_a_landscape_of_two_models_and_on_training_pictures(tiny_model: str) -> None:
    method = Landscape(points=2, **SHORT)
    recipe = Recipe(method, tiny_model, inputs={"n": 20, "other": tiny_model, "split": "train"})
    result = finish(recipe.run())
    assert result.images["loss"].shape == (2, 1, 5)
    assert torch.equal(result.images["loss"][0], result.images["loss"][1])
    assert result.figures["rise"] == result.figures["other/rise"] and result.conclusion is not None
    assert result.conclusion.outcome == "alike"
    test = finish(Recipe(method, tiny_model, inputs={"n": 20}).run())
    assert test.figures["reference"] != result.figures["reference"] and "other/rise" not in test.figures


def test_a_stopped_landscape_says_what_it_has(tiny_model: str) -> None:
    recipe = Recipe(Landscape(points=2, **SHORT), tiny_model, inputs={"n": 20})
    curve = Curve(recipe.kind.scores)
    run = recipe.run(curve)
    while len([point for point in curve.points if "rise" in point]) < 3:
        last = next(run)
    run.close()
    half = stopped(recipe, curve.points, last)
    assert half.stopped and set(half.figures) == {"rise", "reference"} and half.counts["rise"] == 20


@pytest.mark.parametrize(
    ("method", "inputs", "said"),
    [
        (AverageFlatness(eps=0.0), {}, "raise ε, or choose loss = clean"),
        (AverageFlatness(xi=0.0), {}, "ξ = 0 moves no weight"),
        (WorstFlatness(xi=0.0), {}, "raise ξ"),
        (Landscape(), {"n": 1}, "give at least 2"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(tiny_model: str, method: Any, inputs: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        finish(Recipe(method, tiny_model, inputs=inputs).run())
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_model_that_lacks_the_classes_is_one_sentence(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.classifier(tiny_model), "class_names", tuple("abc"))
    with pytest.raises(ValueError, match="choose data that the model was trained for"):
        finish(Recipe(AverageFlatness(), tiny_model).run())


def test_a_split_that_is_none_is_refused(tiny_model: str) -> None:
    with pytest.raises(ValueError, match="split = 'all' is not one of test, train"):
        Recipe(AverageFlatness(), tiny_model, inputs={"split": "all"})


@pytest.mark.parametrize("method", [AverageFlatness(draws=1, **SHORT), Landscape(points=2, **SHORT)])
def test_the_snippet_finds_what_the_recipe_finds(tiny_model: str, method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"n": 20, "split": "test"} | ({"other": tiny_model} if isinstance(method, Landscape) else {})
    recipe = Recipe(method, tiny_model, inputs=inputs)
    names: dict[str, Any] = {}
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    exec(compile(recipe.python(), "snippet", "exec"), names)
    result = finish(recipe.run())
    reference = names["found"].reference if isinstance(method, AverageFlatness) else names["found"].loss[0, 0, 2]
    assert float(reference) == pytest.approx(result.figures["reference"], abs=1e-4)
    assert load_data is not loading.load_data
