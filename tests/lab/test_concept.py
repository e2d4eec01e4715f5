"""The kind `concept`: where concepts come from, that figures are the methods' own, and bad input in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import core.data
from core.data import load_data
from core.explain import ACAV, TCAV, FastCAV
from core.runs import finish
from lab import concepts, loading, local_folders, methods, uploads
from lab.recipes import Recipe

QUICK: dict[str, Any] = {"draws": 2, "controls": 2}
pytestmark = pytest.mark.usefixtures("small")


def recipe(model: str, concept: str, method: Any = None, **inputs: Any) -> Recipe:
    return Recipe(method or FastCAV(**QUICK), model, inputs={"concept": concept} | inputs)


def test_the_figures_are_those_of_the_methods(tiny_model: str) -> None:
    asked = recipe(tiny_model, "texture=stripes", TCAV(**QUICK), n=64, layer="layer3",
                   alongside=methods.to_dict(ACAV(**QUICK, average=2)))  # fmt: skip
    result = finish(asked.run())
    data = loading.images("scenes", "test", limit=64)
    holds = data.concepts["texture"] == 1
    for method, head in ((TCAV(**QUICK), ""), (ACAV(**QUICK, average=2), "beside/")):
        found = finish(method.run(loading.classifier(tiny_model), data, holds, layer="net.layer3"))
        assert result.figures[f"{head}recall_at_5"] == found.recall_at_5
        assert result.figures[f"{head}fpr"] == found.false_positive_rate
        assert result.figures[f"{head}spread"] == found.spread
        seen = found.counts > 0
        assert torch.equal(result.images[f"{head}scores"], found.scores[:, seen])
        assert result.figures[f"{head}p/{data.class_names[int(seen.nonzero()[0])]}"] == found.p[seen][0].item()
    assert result.counts["recall_at_5"] == found.positives and result.counts["fpr"] == found.negatives
    assert result.images["nearest"].shape == (8, 3, 32, 32) and len(result.per_image["farthest"]) == 8
    assert result.notes["layer"] == "net.layer3" and result.conclusion is not None
    assert not any(module._forward_hooks for module in loading.classifier(tiny_model).modules())


def test_a_class_other_data_uploads_and_a_folder(tiny_model: str, tmp_path: Path, monkeypatch: Any) -> None:
    data = load_data("scenes", "test", limit=64)
    assert torch.equal(concepts.find("class=ring", data, 32), data.labels == 5)
    other: Any = concepts.find("scenes#r", data, 32)  # triangle, flower, cross, ring, …
    assert set(other.labels.tolist()) == {i for i, name in enumerate(data.class_names) if "r" in name}
    exact: Any = concepts.find("scenes#Ring", data, 32)
    assert set(exact.labels.tolist()) == {5}
    names = [uploads.keep(torch.full((3, 9, 12), i, dtype=torch.uint8)) for i in range(12)]
    mine: Any = concepts.find(",".join(names), data, 32)
    assert mine.images.shape == (12, 3, 32, 32) and mine.images[3].unique().tolist() == [3]
    for i in range(12):
        Image.new("RGB", (9, 9), (i, 0, 0)).save(tmp_path / f"{i:02}.png")
    read: Any = concepts.find(f"folder:{tmp_path}", data, 32)
    assert read.images.shape == (12, 3, 32, 32)
    result = finish(recipe(tiny_model, f"folder:{tmp_path}").run())
    assert result.counts["recall_at_5"] == 5 and any(name.startswith("score/") for name in result.figures)
    monkeypatch.setattr(local_folders, "_allowed", False)
    with pytest.raises(ValueError, match="upload the pictures instead"):
        concepts.find(f"folder:{tmp_path}", data, 32)


def test_data_whose_classes_the_model_does_not_know_are_labelled_by_itself(tiny_model: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(loading.classifier(tiny_model), "class_names", tuple("abcdefghij"))
    result = finish(recipe(tiny_model, "background=plain").run())
    assert "the model's own answers" in result.notes["labels"]
    assert {name[6:] for name in result.figures if name.startswith("score/")} <= set("abcdefghij")


@pytest.mark.parametrize(
    ("concept", "said"),
    [
        ("stripes", "must be such as texture=stripes"),
        ("upload:12", "must be such as"),
        ("folder:", "must be such as"),
        ("=x", "must be such as"),
        ("", "must be such as"),
    ],
)
def test_what_is_no_concept_is_refused_at_once(concept: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recipe("zoo:scenes-clean", concept)


@pytest.mark.parametrize(
    ("concept", "more", "said"),
    [
        ("texture=tartan", {}, "There is no texture 'tartan'; choose one of plain, stripes"),
        ("fur=soft", {}, "bring texture, colour, background, background_colour, so"),
        ("class=zebra", {}, "No class is called 'zebra'"),
        ("scenes#zebra", {}, "No class is called 'zebra'"),
        ("class=ring", {"n": 20}, "with the concept; give at least 10"),
        (f"upload:{'0' * 64}", {}, "upload it again"),
        ("texture=stripes", {"layer": "layer9"}, "The model has no layer 'layer9'"),
    ],
)
def test_what_cannot_be_looked_for_is_one_sentence(tiny_model: str, concept: str, more: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        finish(recipe(tiny_model, concept, **more).run())
    assert "\n" not in str(refusal.value) and str(refusal.value)[-1] in ".…"


def test_data_without_labels_of_concepts_say_so() -> None:
    data = load_data("scenes", "test", limit=20)
    bare = core.data.ImageSet(data.images, data.labels, data.class_names)
    with pytest.raises(ValueError, match="bring no labels of concepts"):
        concepts.find("texture=stripes", bare, 32)


@pytest.mark.parametrize("concept", ["background=plain", "class=ar", "scenes#r"])
def test_the_snippet_finds_what_the_recipe_finds(tiny_model: str, concept: str, monkeypatch: Any) -> None:
    def few(data: Any, split: str, *, limit: int | None = None, seed: int = 0, size: int | None = None) -> Any:
        return loading.load_data(data, split, limit=limit)

    monkeypatch.setattr(core.data, "load_data", few)
    asked = recipe(tiny_model, concept, TCAV(**QUICK), n=64, layer="layer2")
    space: dict[str, Any] = {}
    exec(asked.python(), space)
    assert space["found"].recall_at_5 == pytest.approx(finish(asked.run()).figures["recall_at_5"])
