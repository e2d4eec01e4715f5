"""Re-activation as an experiment: bars over the budget, the clean model beside them, BEC, and the three threats."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import models
from core.attacks import ReActivation
from core.attacks.reactivation.reactivation import THREATS
from core.attacks.reactivation.reactivation_controls import CONTROLS
from core.defenses import FinePruning, FineTuning
from core.metrics import bec, evaluate
from core.runs import finish
from core.triggers import BadNets
from lab import loading
from lab.kinds import reactivation
from lab.kinds.shared import surrogates
from lab.recipes import Recipe
from lab.results import kept
from models import Classifier
from tests.lab.test_snippets import executed

pytestmark = pytest.mark.usefixtures("small")
METHOD = ReActivation(steps=2, batch_size=8, iterations=2, query_images=10)
DEFENSE = FineTuning(steps=2, batch_size=8)
PRUNING = FinePruning(steps=1, batch_size=8)


@pytest.fixture
def twin(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """Another net of the same architecture as the clean model of these data."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        net = models.create("preact_resnet18", loading.classifier(tiny_model).class_names, width=4).eval()
    monkeypatch.setattr(loading, "clean_twin", lambda model: net)
    return net


def recipe_of(model: str, method: ReActivation = METHOD, n: int = 30) -> Recipe:
    return Recipe(method, Recipe(DEFENSE, model, inputs={"n": 20}), inputs={"n": n})


def test_bars_budgets_and_existence(tiny_model: str, twin: Classifier) -> None:
    recipe = recipe_of(tiny_model)
    result = finish(recipe.run())
    names = [*CONTROLS, *(f"clean_model/{name}" for name in CONTROLS)]
    budgets = result.images["budgets"].tolist()
    assert budgets == pytest.approx([2 / 3, 2, 4, 8])
    for name in names:
        for tail in ("", "@0.6667", "@2", "@4", "@8"):
            assert 0 <= result.figures[f"asr/{name}{tail}"] <= 1
            assert result.counts[f"asr/{name}{tail}"] == result.counts[f"ra/{name}{tail}"]
        assert result.figures[f"asr/{name}"] == result.figures[f"asr/{name}@8"]
    test = loading.images("scenes", "test", limit=30)
    defended: Any = kept.get(recipe.model.key()).model  # type: ignore[union-attr]
    for net, head in ((defended, ""), (twin, "clean_model/")):
        scores = evaluate(net, test, trigger=BadNets(), target=0)
        assert result.figures[f"asr/{head}trigger"] == pytest.approx(scores.asr)
        assert result.counts[f"asr/{head}trigger"] == scores.n_asr
        gap = result.figures[f"asr/{head}reactivated"] - result.figures[f"asr/{head}clean_universal"]
        assert result.figures[f"{head}gap"] == pytest.approx(gap)
    others = test[test.labels != 0]
    expected = bec(defended, loading.classifier(tiny_model), twin, others, BadNets())
    assert result.figures["bec"] == pytest.approx(expected) and "triggered images" in result.notes["bec"]
    assert {"bec/debiased", "bec/similarity", "bec/clean"} < set(result.figures)


def test_pictures_show_trigger_and_perturbation(tiny_model: str, twin: Classifier) -> None:
    result = finish(recipe_of(tiny_model).run())
    delta = result.images["delta"]
    assert delta.shape == (3, 32, 32) and 0 < delta.abs().max() <= 8 / 255 + 1e-7
    original, triggered = result.images["original"], result.images["triggered"]
    assert torch.equal(triggered, BadNets()(original))
    assert torch.allclose(result.images["reactivated"], (triggered + delta).clamp(0, 1))
    assert all(label != 0 for label in result.per_image["label"])
    assert {len(values) for values in result.per_image.values()} == {reactivation.SHOWN}


def test_progress_is_one_count_over_all_budgets(tiny_model: str, twin: Classifier) -> None:
    steps = [p for p in recipe_of(tiny_model).run() if p.stage == "reactivate"]
    counted = [p.step for p in steps]
    assert counted == sorted(counted) and counted[-1] == steps[0].total == 4 * 6 * 100
    assert sorted({p.metrics["budget"] for p in steps}) == pytest.approx([2 / 3, 2, 4, 8])


@pytest.mark.parametrize("threat", THREATS)
def test_every_threat_runs(tiny_model: str, twin: Classifier, threat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogates, "SURROGATES", (FineTuning(steps=1, batch_size=8),) * 2)
    monkeypatch.setattr(reactivation, "SHARES", (1.0,))
    method = ReActivation(threat=threat, steps=2, batch_size=8, iterations=2, query_images=10)
    # the defender's own method is not among the surrogates, unless it is another one
    chain = Recipe(method, Recipe(PRUNING, tiny_model, inputs={"n": 20}), inputs={"n": 20})
    result = finish(chain.run())
    assert {f"asr/{name}" for name in CONTROLS} <= set(result.figures)
    assert ("queries" in result.figures) == (threat == "query")
    if threat == "query":
        assert result.figures["calls"] == 10 * result.figures["queries"]


def test_a_model_that_nobody_repaired_has_bars_but_no_bec(tiny_model: str, twin: Classifier) -> None:
    result = finish(Recipe(METHOD, tiny_model, inputs={"n": 20}).run())
    assert "asr/reactivated" in result.figures and "bec" not in result.figures


def test_without_a_clean_model_the_notes_say_so(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "clean_twin", lambda model: None)
    result = finish(recipe_of(tiny_model).run())
    assert "no clean model" in result.notes["controls"] and "BEC needs" in result.notes["bec"]
    assert not any("clean_model" in name for name in result.figures) and "gap" in result.figures


def test_another_architecture_as_clean_model_gives_bars_but_no_bec(
    tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with torch.random.fork_rng(devices=[]):
        other = models.create("preact_resnet18", loading.classifier(tiny_model).class_names, width=2).eval()
    monkeypatch.setattr(loading, "clean_twin", lambda model: other)
    result = finish(recipe_of(tiny_model).run())
    assert "asr/clean_model/reactivated" in result.figures and "same architecture" in result.notes["bec"]


def test_a_model_without_a_backdoor_is_refused(tiny_model: str, tmp_path) -> None:
    model = models.load(tiny_model)
    model.trigger = model.target = model.mode = None
    models.save(model, tmp_path / "clean", perturb={"data": "scenes", "done": "nothing"})
    with pytest.raises(ValueError, match="needs a model with a backdoor"):
        finish(Recipe(METHOD, str(tmp_path / "clean"), inputs={"n": 20}).run())


def test_the_same_recipe_gives_the_same_figures(tiny_model: str, twin: Classifier) -> None:
    recipe = recipe_of(tiny_model)
    assert finish(recipe.run()).figures == finish(recipe.run()).figures


def test_the_snippet_gives_the_recipes_bars(
    tiny_model: str, twin: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(tiny_model)
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    for name in CONTROLS:
        assert names["found"].asr[name] == pytest.approx(result.figures[f"asr/{name}"])


@pytest.mark.parametrize("defenses", [(), (PRUNING,), (DEFENSE, PRUNING)], ids=["none", "one", "two"])
def test_the_snippet_of_a_transfer_makes_the_pages_surrogates(
    tiny_model: str, twin: Classifier, defenses: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surrogates, "SURROGATES", (DEFENSE, PRUNING))
    model: Any = tiny_model
    for defense in defenses:
        model = Recipe(defense, model, inputs={"n": 20})
    recipe = Recipe(ReActivation(threat="transfer", steps=2, batch_size=8), model, inputs={"n": 20}, seed=3)
    names, result = executed(recipe, monkeypatch), finish(recipe.run())
    made = finish(surrogates.surrogates_of(recipe))
    assert len(made) == (1 if defenses else 2)
    for ours, theirs in zip(names["surrogates"], made, strict=True):
        for name, value in theirs.state_dict().items():
            assert torch.allclose(ours.state_dict()[name], value, atol=1e-6), name
    assert torch.allclose(names["found"].delta, result.images["delta"], atol=1e-6)
    for name in CONTROLS:
        assert names["found"].asr[name] == pytest.approx(result.figures[f"asr/{name}"])
