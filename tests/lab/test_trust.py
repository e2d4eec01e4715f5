"""The tests of a heatmap as an experiment: the picture, the table as it grows, the trigger, and what refuses."""

from __future__ import annotations

import pytest
import torch

from core.explain import GradCAM, GuidedBackprop, TrustTests
from core.explain.heatmaps.attention_rollout import AttentionRollout
from core.explain.trust.trust_tests import MEASURES
from core.runs import finish
from lab import loading
from lab.kinds.shared.trigger_map import trigger_map
from lab.recipes import Recipe
from lab.results import Result

SHORT = {"points": 4, "draws": 1}
CONTROLS = ["RandomMap", "EdgeMap", "CentreMap"]


def heads(images: dict) -> list[str]:
    return [name.removeprefix("table/") for name in images if name.startswith("table/")]


@pytest.mark.usefixtures("small")
def test_the_table_grows_and_its_first_row_is_the_method_itself(tiny_model: str) -> None:
    model = loading.classifier(tiny_model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = Recipe(TrustTests(GradCAM(), **SHORT), tiny_model, inputs={"images": [3], "n": 6, "others": "none"})
    run, moments = recipe.run(), []
    try:
        while True:
            moments.append(next(run))
    except StopIteration as end:
        result = end.value
    grown = [len(heads(moment.images)) for moment in moments if moment.stage == "table"]
    assert grown == sorted(grown) and set(grown) == {0, 1, 2, 3, 4}
    assert [moment.step for moment in moments if moment.stage == "table"][-1] == 20
    assert heads(result.images) == ["GradCAM", *CONTROLS]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    mean, low, high = result.images["table/GradCAM"][MEASURES.index("deletion")].tolist()
    assert low <= mean <= high and result.figures["deletion"] == result.figures["table/GradCAM/deletion"] == mean
    assert result.images["each/GradCAM"].shape == (7, 6) and result.counts["table/RandomMap/energy"] == 6
    layers = result.per_image["layers"]
    assert result.images["cascade"].shape == (len(layers) + 1, 32, 32) and layers[0] == "linear"
    assert result.images["similarity"][0] == pytest.approx(1)
    assert result.images["deletion/random"].shape == (5, 5) and len(result.images["shares"]) == 5
    assert result.figures["picture/area"] == result.images["mask"].double().mean()
    assert result.notes["backdoored"] == model.card.ref and result.figures["trigger/area"] == 9 / 1024


@pytest.mark.usefixtures("small")
def test_quick_methods_stand_beside_it_and_one_that_refuses_is_told(tiny_model: str) -> None:
    method = TrustTests(GuidedBackprop(), absolute=True, **SHORT)
    result = finish(Recipe(method, tiny_model, inputs={"images": [0], "n": 3, "others": "quick", "target": 2}).run())
    rows = heads(result.images)
    assert rows[:4] == ["GuidedBackprop", *CONTROLS] and "GradCAM" in rows and "RISE" not in rows
    assert len(set(rows)) == len(rows) and result.notes["left out"].startswith("AttentionRollout: Attention rollout")
    assert result.notes["explained"] == loading.classifier(tiny_model).class_names[2]
    with pytest.raises(ValueError, match="needs the attention of a vision transformer"):
        finish(Recipe(TrustTests(AttentionRollout()), tiny_model, inputs={"images": [0], "n": 3}).run())


@pytest.mark.usefixtures("small")
def test_a_layer_that_the_backdoored_model_lacks_is_a_note(tiny_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = loading.classifier(tiny_model)
    monkeypatch.setattr(plain, "trigger", None)
    method = TrustTests(GradCAM(layer="deeper"), **SHORT)
    result = Result(Recipe(method, tiny_model, inputs={"images": [0]}))
    finish(trigger_map(result.recipe, plain, result))
    assert "has no layer 'deeper'" in result.notes["trigger"] and "trigger/map" not in result.images


@pytest.mark.usefixtures("small")
def test_others_is_one_of_three_words_and_a_class_must_exist(tiny_model: str) -> None:
    with pytest.raises(ValueError, match="others = 'some' is not one of quick, all, none"):
        Recipe(TrustTests(), tiny_model, inputs={"others": "some"})
    with pytest.raises(ValueError, match="target = 77 is not a class"):
        finish(Recipe(TrustTests(), tiny_model, inputs={"images": [0], "target": 77}).run())
