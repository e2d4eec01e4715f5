"""Triggers that are fitted before they can be stamped: by a training, by a run, and from what is known already."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

import core.data
from core.runs import Progress, finish
from core.training import Standard
from core.triggers import SSBA, LowFrequency, Poison, TrojanNN
from lab import loading
from lab.kinds.shared import fitting
from lab.kinds.shared.setting import backdoor_of
from lab.recipes import Recipe
from models import load, save

pytestmark = pytest.mark.usefixtures("small")

QUICK = [
    LowFrequency(pictures=10, passes=1, steps=1),
    TrojanNN(steps=2),
    SSBA(steps=2, batch_size=4, pictures=20),
]
FRESH = "arch:preact_resnet18?width=4"


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting.fits, "_held", fitting.fits._held.__class__())


def poisoned(trigger: Any, target: int = 2) -> Standard:
    return Standard(epochs=1, batch_size=32, poison=Poison(trigger=trigger, target=target, rate=0.25))


def driven(recipe: Recipe) -> tuple[Any, list[Progress]]:
    run, seen = recipe.run(), []
    while True:
        try:
            seen.append(next(run))
        except StopIteration as end:
            return end.value, seen


@pytest.mark.parametrize("trigger", QUICK, ids=lambda trigger: type(trigger).__name__)
def test_a_training_fits_its_trigger_to_the_clean_twin_first(trigger: Any, tmp_path: Any) -> None:
    recipe = Recipe(poisoned(trigger), FRESH, seed=3)
    result, seen = driven(recipe)
    stages = [progress.stage for progress in seen]
    assert stages.index("fit") < stages.index("train") and stages.index("load") == 0
    model: Any = result.model
    assert model.trigger == trigger and model.target == 2 and len(model.poisoned) == 24
    twin, train = load("zoo:scenes-clean"), loading.images("scenes", "train")
    expected = finish(trigger.fit(twin, train, target=2, seed=3)).state
    assert all(torch.equal(value, expected[name]) for name, value in model.trigger.state.items())
    save(model, tmp_path / "model", perturb={"data": "scenes", "done": "a test"})
    again = load(str(tmp_path / "model"))
    images = train.pixels[:4]
    assert torch.equal(again.trigger(images), model.trigger(images))


def test_a_training_that_goes_on_fits_to_its_start_where_there_is_no_twin(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "clean_twin", lambda model: None)
    result, _ = driven(Recipe(poisoned(QUICK[1]), tiny_model))
    expected = finish(QUICK[1].fit(load(tiny_model), loading.images("scenes", "train"), target=2)).state
    assert torch.equal(result.model.trigger.state["patch"], expected["patch"])


def test_a_fresh_network_without_a_twin_is_refused_unless_nothing_is_asked_of_a_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loading, "clean_twin", lambda model: None)
    with pytest.raises(ValueError, match="no clean model of scenes"):
        driven(Recipe(poisoned(QUICK[0]), FRESH))
    assert driven(Recipe(poisoned(QUICK[2]), FRESH))[0].model.trigger.state


@pytest.mark.parametrize("trigger", QUICK, ids=lambda trigger: type(trigger).__name__)
def test_a_trigger_is_fitted_once_and_then_known(trigger: Any, tiny_model: str) -> None:
    recipe = Recipe(trigger, tiny_model, inputs={"n": 20, "images": [0, 1]})
    model = loading.classifier(tiny_model)
    with pytest.raises(ValueError, match="has not been fitted yet"):
        backdoor_of(recipe, model).trigger(torch.rand(1, 3, 32, 32))  # type: ignore[misc]
    result, seen = driven(recipe)
    assert any(progress.stage == "fit" for progress in seen)
    stamped = backdoor_of(recipe, model).trigger(result.images["original"])  # type: ignore[misc]
    assert torch.equal(stamped, result.images["triggered"]) and not torch.equal(stamped, result.images["original"])
    assert not any(progress.stage == "fit" for progress in driven(recipe.replace(inputs={"n": 10}))[1])
    other = recipe.replace(inputs={"n": 10, "target": 5})
    refitted = any(progress.stage == "fit" for progress in driven(other)[1])
    assert refitted == trigger.asks_model


def test_a_dial_needs_no_new_fit(tiny_model: str) -> None:
    recipe = Recipe(QUICK[0], tiny_model, inputs={"n": 10})
    driven(recipe)
    weaker = recipe.replace(method=dataclasses.replace(QUICK[0], amplitude=0.1))
    assert not any(progress.stage == "fit" for progress in driven(weaker)[1])


def test_the_brightness_control_is_scored_beside(tiny_model: str) -> None:
    result, _ = driven(Recipe(QUICK[0], tiny_model, inputs={"n": 20}))
    assert {"asr", "brightened/asr", "clean_model/asr"} <= set(result.figures)


def test_a_shipped_encoder_serves_every_model_of_its_data(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = load(tiny_model)
    own.trigger = finish(QUICK[2].fit(own, loading.images("scenes", "train"), target=0))
    monkeypatch.setattr(fitting, "teacher", lambda trigger, data: "zoo:scenes-ssba" if data == "scenes" else None)
    real = loading.classifier
    monkeypatch.setattr(loading, "classifier", lambda ref: own if ref == "zoo:scenes-ssba" else real(ref))
    _, seen = driven(Recipe(QUICK[2], tiny_model, inputs={"n": 10}))
    assert not any(progress.stage == "fit" for progress in seen)


def executed(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names a snippet leaves behind, run on the tests' small data."""
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    names: dict[str, Any] = {}
    exec(compile(recipe.python(), "snippet", "exec"), names)
    return names


@pytest.mark.parametrize("trigger", QUICK, ids=lambda trigger: type(trigger).__name__)
def test_the_snippet_of_a_run_fits_the_same_trigger(
    trigger: Any, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(trigger, tiny_model, inputs={"n": 20, "images": [0, 1]}, seed=2)
    result = driven(recipe)[0]
    names = executed(recipe, monkeypatch)
    assert torch.equal(names["trigger"](result.images["original"]), result.images["triggered"])


def test_the_snippet_of_a_training_fits_first(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(poisoned(QUICK[1]), FRESH, seed=1)
    text = recipe.python()
    assert 'trigger = finish(TrojanNN(steps=2).fit(load("zoo:scenes-clean"), train, target=2, seed=1)' in text
    assert "poison=Poison(trigger=trigger" in text
    assert torch.equal(
        executed(recipe, monkeypatch)["repaired"].trigger.state["patch"],
        driven(recipe)[0].model.trigger.state["patch"],
    )
