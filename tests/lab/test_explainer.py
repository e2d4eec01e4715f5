"""Heatmaps as experiments: alone, beside another method, beside another model, and while they sharpen."""

from __future__ import annotations

import pytest
import torch

import lab.explainer_names
from core.explain import EXPLAINERS, RISE, AttentionRollout, GradCAM, HiResCAM, LayerCAM
from core.runs import finish
from lab import loading, methods
from lab.recipes import Recipe

HIRES = methods.to_dict(HiResCAM(layer="conv1"))


def test_the_sidebar_names_every_method() -> None:
    assert list(lab.explainer_names.EXPLAINER_NAMES) == [cls.__name__ for cls in EXPLAINERS]


@pytest.mark.usefixtures("small")
def test_two_methods_and_how_far_they_agree(tiny_model: str) -> None:
    result = finish(Recipe(GradCAM(layer="conv1"), tiny_model, inputs={"images": [0, 5], "second": HIRES}).run())
    maps, others = result.images["map"], result.images["beside/map"]
    assert maps.shape == others.shape and not torch.equal(maps, others)
    assert result.counts["agreement"] == 2 and -1 <= result.figures["agreement"] <= 1
    assert result.conclusion is not None and f"{result.figures['agreement']:.2f}" in result.conclusion.text
    same = finish(Recipe(HiResCAM(layer="conv1"), tiny_model, inputs={"images": [0, 5], "second": HIRES}).run())
    assert same.figures["agreement"] == pytest.approx(1)


@pytest.mark.usefixtures("small")
def test_two_models_explain_the_same_class(tiny_model: str) -> None:
    result = finish(Recipe(GradCAM(), tiny_model, inputs={"images": [0], "other": tiny_model}).run())
    assert torch.equal(result.images["map"], result.images["beside/map"])
    assert result.per_image["beside"] == result.per_image["before"] == result.per_image["target"]
    with pytest.raises(ValueError, match="choose a model of the same data"):
        finish(Recipe(GradCAM(), tiny_model, inputs={"images": [0], "other": "zoo:gtsrb-clean"}).run())


@pytest.mark.usefixtures("small")
def test_a_slow_method_shows_its_map_while_it_sharpens_and_leaves_the_shared_model_alone(tiny_model: str) -> None:
    model = loading.classifier(tiny_model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = Recipe(RISE(masks=150), tiny_model, inputs={"images": [0], "second": methods.to_dict(RISE(masks=60))})
    moments = list(recipe.run())
    shown = [name for moment in moments for name in moment.images]
    assert shown == ["map"] * 3 + ["beside/map"] * 2
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.usefixtures("small")
def test_what_cannot_be_explained_is_one_sentence(tiny_model: str) -> None:
    for method, said in (
        (AttentionRollout(), "needs the attention of a vision transformer"),
        (LayerCAM(layer="nowhere"), "has no layer 'nowhere'"),
        (LayerCAM(layer="linear"), "choose a convolutional layer, or a block of a transformer"),
    ):
        with pytest.raises(ValueError, match=said):
            finish(Recipe(method, tiny_model, inputs={"images": [0]}).run())
