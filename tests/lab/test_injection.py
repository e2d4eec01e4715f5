"""Weight-space injection as an experiment: its figures, its default trigger, and that a defense goes on from it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import models
from core.attacks import WeightBackdoor
from core.defenses import FineTuning
from core.metrics import evaluate
from core.networks.predictions import predict
from core.runs import finish
from core.triggers import SIG, BadNets
from lab import loading, methods
from lab.recipes import Recipe
from tests.lab.test_snippets import executed

pytestmark = pytest.mark.usefixtures("small")
METHOD = WeightBackdoor(steps=3, batch_size=8)


@pytest.fixture
def clean_net(tiny_model: str, tmp_path) -> str:
    """The folder of a model that has no trigger of its own."""
    model = models.load(tiny_model)
    model.trigger = model.target = model.mode = None
    models.save(model, tmp_path / "clean", perturb={"data": "scenes", "done": "nothing"})
    return str(tmp_path / "clean")


def test_before_after_and_how_far_the_weights_moved(clean_net: str) -> None:
    result = finish(Recipe(METHOD, clean_net, inputs={"n": 40}).run())
    test, original = loading.images("scenes", "test", limit=40), loading.classifier(clean_net)
    injected: Any = result.model
    for moment, net in (("before", original), ("after", injected)):
        scores = evaluate(net, test, trigger=BadNets(), target=0)
        assert result.figures[f"{moment}/acc"] == pytest.approx(scores.acc)
        assert result.figures[f"{moment}/asr"] == pytest.approx(scores.asr)
        assert result.counts[f"{moment}/asr"] == scores.n_asr and result.counts[f"{moment}/acc"] == 40
    same = predict(original, test.images).argmax(1) == predict(injected, test.images).argmax(1)
    assert result.figures["agreement"] == pytest.approx(same.float().mean().item())
    assert result.counts["agreement"] == 40
    assert 0 < result.figures["report/change/linf"] <= 0.02 + 1e-6 and result.figures["report/relative/50"] > 0
    counts, edges = result.images["histogram"], result.images["histogram/edges"]
    assert len(edges) == len(counts) + 1 and counts.sum() == sum((p != 0).sum() for p in original.parameters())
    assert (injected.trigger, injected.target, injected.mode) == (BadNets(), 0, "all-to-one")
    assert injected.card.backdoored and "BadNets" in injected.card.done and not original.card.backdoored
    assert set(result.per_image) == {"index", "label", "before", "after", "before/triggered", "after/triggered"}
    assert result.images["triggered"].shape == result.images["original"].shape


def test_trigger_and_target_come_from_the_recipe_or_the_model(clean_net: str, tiny_model: str) -> None:
    given = {"n": 20, "trigger": methods.to_dict(SIG()), "target": 3}
    chosen: Any = finish(Recipe(METHOD, clean_net, inputs=given).run()).model
    assert (chosen.trigger, chosen.target) == (SIG(), 3)
    own: Any = finish(Recipe(METHOD, tiny_model, inputs={"n": 20, "target": 2}).run()).model
    assert (own.trigger, own.target) == (BadNets(), 2)
    with pytest.raises(ValueError, match="leads every class to one target"):
        finish(Recipe(METHOD, clean_net, inputs={"mode": "all-to-all"}).run())
    with pytest.raises(ValueError, match="target = 77"):
        finish(Recipe(METHOD, clean_net, inputs={"target": 77}).run())


def test_a_defense_goes_on_from_it(clean_net: str) -> None:
    first = Recipe(METHOD, clean_net, inputs={"n": 20})
    chain = Recipe(FineTuning(steps=2, batch_size=8), first, inputs={"n": 20})
    assert Recipe.from_query(chain.to_query()) == chain
    stages = {progress.stage for progress in chain.run()}
    assert {"inject", "tune"} <= stages
    result = finish(chain.run())
    assert {"before/asr", "after/asr", "der"} <= set(result.figures)


def test_same_recipe_same_figures_and_the_shared_model_is_untouched(clean_net: str) -> None:
    shared = loading.classifier(clean_net)
    before = {name: value.clone() for name, value in shared.state_dict().items()}
    recipe = Recipe(METHOD, clean_net, inputs={"n": 20})
    assert finish(recipe.run()).figures == finish(recipe.run()).figures
    assert all(torch.equal(value, before[name]) for name, value in shared.state_dict().items())
    assert shared.trigger is None and not shared.training


def test_the_snippet_gives_the_recipes_model(clean_net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(METHOD, clean_net, inputs={"n": 20, "target": 1}, seed=2)
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    scores = names["evaluate"](names["repaired"], names["test"], **names["attack"])
    assert scores.asr == pytest.approx(result.figures["after/asr"]) and scores.n == result.counts["after/acc"]
