"""'As Python': the snippet compiles for every kind of recipe, and gives the recipe's own figures."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import core.data
from core.attacks import FGSM, PGD, Regional
from core.data import Scenes
from core.defenses import TSBD, FineTuning
from core.explain import GradCAM
from core.runs import finish
from core.training import Standard
from core.triggers import SSBA, BadNets, Poison
from lab import loading, methods
from lab.recipes import Recipe

MODEL = "zoo:scenes-badnets"


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(TSBD(neuron_ratio=0.1, selection="oracle"), MODEL),
        Recipe(
            FineTuning(),
            MODEL,
            Scenes(noise=0.2),
            {"trigger": methods.to_dict(BadNets(side=5)), "target": 1, "mode": "all-to-one"},
        ),
        Recipe(PGD(), MODEL, inputs={"images": [1, 2], "target": 3}),
        Recipe(PGD(), MODEL, inputs={"images": "upload:" + "ab" * 32}),
        Recipe(Regional(family="drawn"), MODEL, inputs={"mask": "f" * 64, "judge": "zoo:scenes-clean"}),
        Recipe(BadNets(side=4), MODEL, inputs={"n": 100}),
        Recipe(GradCAM(), Recipe(TSBD(), MODEL), inputs={"target": 0}),
        Recipe(Standard(poison=Poison(trigger=BadNets(side=2), rate=0.05)), "arch:preact_resnet18?width=16"),
    ],
    ids=lambda recipe: type(recipe.method).__name__,
)
def test_every_snippet_is_python(recipe: Recipe) -> None:
    text = recipe.python()
    compile(text, "snippet", "exec")
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith("from ")}
    assert imported <= {"core", "models"}


def executed(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names a snippet leaves behind, run on the tests' small data."""
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    names: dict[str, Any] = {}
    exec(compile(recipe.python(), "snippet", "exec"), names)
    return names


@pytest.mark.usefixtures("small")
def test_a_defense_snippet_gives_the_recipes_model(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(FineTuning(steps=2, batch_size=8), tiny_model, inputs={"n": 20}, seed=4)
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    scores = names["evaluate"](names["repaired"], names["test"], **names["attack"])
    assert scores.acc == pytest.approx(result.figures["after/acc"]) and scores.asr == pytest.approx(
        result.figures["after/asr"]
    )


@pytest.mark.usefixtures("small")
def test_an_attack_snippet_gives_the_recipes_pictures(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(FGSM(eps=0.05), tiny_model, inputs={"images": [2, 5]})
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    assert torch.allclose(names["found"].images, result.images["adversarial"], atol=1e-6)


def test_a_script_imports_what_loads_the_model_that_teaches_its_trigger() -> None:
    trained = Recipe(Standard(), "arch:preact_resnet18?width=4")
    text = Recipe(FineTuning(), trained, inputs={"trigger": methods.to_dict(SSBA())}).python()
    assert "from models import fresh, load" in text and 'load("zoo:scenes-ssba")' in text
