"""The detector's experiment: who is stamped, what comes out, and that nothing tells the detector."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.data import suspects
from core.defenses import STRIP, ActivationClustering, SpectralSignatures
from core.metrics.roc import roc
from core.networks.predictions import predict
from core.runs import finish
from core.training import ABL
from core.triggers import BadNets, Flareon, Poison
from lab import loading, methods
from lab.inputs import checked
from lab.kinds.detector import KIND
from lab.recipes import Recipe
from models import load
from tests.lab.test_snippets import executed

pytestmark = pytest.mark.usefixtures("small")

METHODS = [STRIP(overlays=8), ActivationClustering(dimensions=4), SpectralSignatures()]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_figures_are_those_of_the_scores(tiny_model: str, method: Any) -> None:
    result = finish(Recipe(method, tiny_model, inputs={"n": 60}).run())
    truth, scores = torch.tensor(result.per_image["truth"]), torch.tensor(result.per_image["score"])
    flagged = torch.tensor(result.per_image["flagged"])
    curve = roc(scores, truth)
    assert result.figures["auroc"] == pytest.approx(curve.auroc)
    assert result.figures["tpr/10"] == pytest.approx(curve.tpr_at(0.1))
    assert result.figures["own/fpr"] == pytest.approx(flagged[~truth].float().mean().item())
    assert result.counts["auroc"] == 60 and result.counts["own/fpr"] == int((~truth).sum())
    assert {"clean_model/auroc", "clean_model/tpr/5", "clean_model/own/fpr"} <= set(result.figures)
    assert finish(result.recipe.run()).figures == result.figures


def test_an_input_time_detector_is_given_test_images_of_which_half_are_triggered(tiny_model: str) -> None:
    result = finish(Recipe(METHODS[0], tiny_model, inputs={"n": 60}, seed=2).run())
    test = loading.images("scenes", "test", limit=60)
    expected, truth = suspects.inputs(test, BadNets(), target=0, seed=2)
    assert result.per_image["truth"] == truth.tolist() and sum(result.per_image["truth"]) == 30
    assert torch.equal(result.images["triggered"], expected[truth].pixels[:1])
    blends = result.images["blends"]
    assert blends.shape == (2, 3, 3, 32, 32) and len(result.per_image["blends/answer"]) == 8
    shown = torch.cat((result.images["triggered"], blends[1]))
    model = loading.classifier(tiny_model)
    assert predict(model, shown).argmax(1).tolist() == result.per_image["blends/answer"][4:]


@pytest.mark.parametrize(("inputs", "share"), [({}, 0.1), ({"rate": 0.25}, 0.25)])
def test_a_training_set_is_poisoned_at_the_models_rate_unless_told(
    tiny_model: str, inputs: dict[str, Any], share: float
) -> None:
    result = finish(Recipe(METHODS[2], tiny_model, inputs=inputs).run())
    truth, label = torch.tensor(result.per_image["truth"]), torch.tensor(result.per_image["label"])
    assert int(truth.sum()) == round(share * 96) and (label[truth] == 0).all()
    inside = int((label == 0).sum())
    assert result.images["projection"].shape == (inside, 2)
    assert int(result.images["projection/truth"].sum()) == int(truth.sum())
    assert result.images["by_class"].shape == (10,) and result.notes["by_class"] == "explained"
    assert result.notes["class"] == load(tiny_model).class_names[0]


def test_a_model_without_trigger_is_tried_with_badnets(monkeypatch: pytest.MonkeyPatch, tiny_model: str) -> None:
    clean = load(tiny_model)
    clean.trigger = clean.target = clean.mode = None
    monkeypatch.setattr("lab.loading.models.load", lambda ref: clean)
    loading.classifiers.clear()
    result = finish(Recipe(METHODS[0], tiny_model, inputs={"n": 40}).run())
    assert sum(result.per_image["truth"]) == 20 and "BadNets is stamped" in result.notes["trigger"]


def test_a_backdoor_without_a_poisoned_set_is_one_sentence(tiny_model: str) -> None:
    inputs = {"trigger": methods.to_dict(Flareon()), "mode": "any-to-any"}
    with pytest.raises(ValueError, match="choose STRIP"):
        finish(Recipe(METHODS[1], tiny_model, inputs=inputs).run())
    found = finish(Recipe(METHODS[0], tiny_model, inputs=inputs | {"n": 20, "target": 3}).run())
    assert sum(found.per_image["truth"]) == 10


@pytest.mark.parametrize("value", [0, 1.0, -0.1, "much", True])
def test_a_share_of_poison_lies_between_0_and_1(value: Any) -> None:
    with pytest.raises(ValueError, match=r"rate = .* between 0 and 1"):
        checked(KIND.inputs, {"rate": value}, KIND.name)


def test_a_link_holds_the_share(tiny_model: str) -> None:
    recipe = Recipe(METHODS[2], tiny_model, inputs={"rate": 0.05})
    assert Recipe.from_query(recipe.to_query()) == recipe
    with pytest.raises(ValueError, match="must be a number"):
        Recipe.from_query({**recipe.to_query(), "rate": "few"})


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_the_snippet_gives_the_recipes_figures(tiny_model: str, method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"n": 60, "trigger": methods.to_dict(BadNets(side=5)), "target": 1}
    recipe = Recipe(method, tiny_model, inputs=inputs, seed=4)
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    assert names["curve"].auroc == pytest.approx(result.figures["auroc"], abs=1e-6)


def test_abl_trains_as_an_experiment(tiny_model: str) -> None:
    poison = Poison(trigger=BadNets(), target=2, rate=0.25)
    method = ABL(isolate_epochs=1, epochs=1, unlearn_epochs=1, share=0.1, batch_size=32, poison=poison)
    result = finish(Recipe(method, "arch:preact_resnet18?width=4").run())
    model: Any = result.model
    assert {"after/acc", "after/asr", "report/isolation/precision", "report/trapped"} <= set(result.figures)
    assert len(model.isolated) == 9 and model.target == 2 and model.card.backdoored
    assert "trained by ABL" in model.card.done
