"""Models of visitors: bounded for each and for all, given back when the visit ends, saved and loaded again."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import models
from core.defenses import FineTuning
from core.metrics import evaluate
from core.runs import finish
from core.training import PoisonedFineTuning
from core.triggers import BadNets, Poison
from lab import loading, run_names, saving
from lab.own_models import OwnModels, own_models
from lab.recipes import Recipe
from lab.results import kept


def held(*recipes: str) -> list[Any]:
    return [torch.nn.Identity() for _ in recipes]


def test_each_visitor_keeps_a_few_and_all_keep_a_few_more() -> None:
    own = OwnModels(per_visitor=2, in_all=3)
    for recipe in "abc":
        own.keep("Ann", recipe, *held(recipe))
    assert own.of("Ann") == ["c", "b"] and own.find("a") is None
    own.keep("Ben", "c", *held("c"))
    own.keep("Ben", "d", *held("d"))
    assert own.find("b") is not None
    own.keep("Cy", "e", *held("e"))
    assert len(own) == 3 and own.find("c") is None and own.of("Ann") == ["b"]


def test_what_somebody_else_holds_stays_when_a_visit_ends() -> None:
    own = OwnModels(per_visitor=3, in_all=9)
    own.keep("Ann", "a", *held("a"))
    own.keep("Ann", "b", *held("b"))
    own.keep("Ben", "b", *held("b"))
    own.leave("Ann")
    assert own.find("a") is None and own.find("b") is not None and own.of("Ann") == []
    own.leave("Ben")
    assert len(own) == 0


@pytest.fixture
def made(tiny_model: str) -> Any:
    poison = Poison(BadNets(side=4), target=2, rate=0.25)
    recipe = Recipe(PoisonedFineTuning(poison, steps=6, batch_size=32), tiny_model, inputs={"n": 64}, seed=5)
    return finish(recipe.run())


def test_a_runs_model_is_loaded_by_its_name_as_long_as_it_is_held(made: Any) -> None:
    own = saving.owned(made)
    assert own.card.origin == saving.MADE and own.card.backdoored and own.card.recipe == made.recipe.to_dict()
    assert own.net is made.model.net and made.model.card.ref != own.card.ref
    with pytest.raises(ValueError, match="run it again"):
        loading.classifier(own.card.ref)
    own_models.keep("Ann", made.recipe.to_json(), own)
    try:
        assert loading.classifier(own.card.ref) is own
        kept.clear()
        chain = Recipe(FineTuning(steps=2, selection="fixed"), own.card.ref, inputs={"n": 64})
        stages = [progress.stage for progress in chain.run()]
        assert "before" in stages and stages.count("load") == 2  # the first run is not repeated
    finally:
        own_models.leave("Ann")


def test_a_downloaded_model_scores_as_it_did(made: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saving.zipped(made, "mine"))) as archive:
        archive.extractall(tmp_path)
    model: Any = models.load(str(tmp_path / "mine"))
    test = loading.images(made.recipe.data, "test", limit=64, size=model.input_size[-1])
    scores = evaluate(model, test, trigger=model.trigger, target=model.target, mode=model.mode)
    assert (scores.acc, scores.asr) == (made.figures["after/acc"], made.figures["after/asr"])
    assert Recipe.from_dict(model.card.recipe) == made.recipe and "Backdoored on purpose" in model.card.done
    assert model.card.scores["test"]["n"] == 64


def test_a_chain_is_called_by_what_was_done_and_to_what() -> None:
    first = Recipe(PoisonedFineTuning(), "hf:akamaster/cifar_resnet20@main", "cifar10")
    assert saving.called(first) == "Blended into cifar_resnet20"
    assert saving.called(Recipe(FineTuning(), first)) == "FineTuning on Blended into cifar_resnet20"
    assert run_names.decode(saving.ref_of(first))[1] == 0
