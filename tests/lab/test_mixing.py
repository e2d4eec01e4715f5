"""The kind `mixing`: each training ends as it does alone, its networks' figures, its snippet, and bad input."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import core.data
from core.metrics import calibration
from core.networks.predictions import predict
from core.runs import finish
from core.training import CutMix, FMix, Mixing, MixUp, Standard
from lab import loading
from lab.kinds.mixing import NAMES
from lab.recipes import Recipe
from lab.results import Result

pytestmark = pytest.mark.usefixtures("small")
SHORT: dict[str, Any] = dict(epochs=1, pictures=48, batch_size=16)
FRESH = "arch:preact_resnet18?width=2"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe(Mixing(**SHORT), FRESH, inputs={"n": 24})


@pytest.fixture
def result(recipe: Recipe) -> Result:
    return finish(recipe.run())


def test_each_training_ends_as_it_does_alone_and_its_figures_are_its_networks(recipe: Recipe, result: Result) -> None:
    train, test = loading.images("scenes", "train", limit=48), loading.images("scenes", "test", limit=24)
    for name, mix in zip(NAMES, (None, FMix(), CutMix(probability=0.5)), strict=True):
        start = loading.fresh(FRESH, train, "scenes", 0)
        alone: Any = finish(Standard(**SHORT, lr=0.05, mix=mix).run(start, train, seed=0))
        net: Any = result.networks[name]
        for key, tensor in alone.net.state_dict().items():
            assert torch.equal(tensor.half().float(), net.net.state_dict()[key].float()), (name, key)
        logits = predict(net, test.images)
        assert result.figures[f"{name}/acc"] == pytest.approx((logits.argmax(1) == test.labels).float().mean().item())
        assert result.figures[f"{name}/ece"] == pytest.approx(calibration(logits, test.labels, 10).ece)
        assert result.images[f"reliability/{name}"][0].sum() == result.counts[f"{name}/robust"] == 24
        lower, upper = result.images[f"layers/{name}"]
        assert (lower <= upper + 1e-6).all() and len(lower) == len(result.notes["layers"].split(", ")) == 6
    gain = result.figures["first/gain"]
    assert gain == pytest.approx(result.figures["first/acc"] - result.figures["unmixed/acc"])
    assert result.figures["first/gain/from"] <= gain <= result.figures["first/gain/to"]
    assert result.notes["first"] == "FMix" and result.conclusion is not None
    assert any("second/acc" in point for point in result.curve)


def test_one_mixer_alone_and_two_of_a_class_are_told_apart() -> None:
    alone = finish(Recipe(Mixing(**SHORT, second=None), FRESH, inputs={"n": 24}).run())
    assert set(alone.networks) == {"unmixed", "first"} and "second/acc" not in alone.figures
    twice = finish(Recipe(Mixing(**SHORT, first=MixUp(), second=MixUp(alpha=0.2)), FRESH, inputs={"n": 24}).run())
    assert (twice.notes["first"], twice.notes["second"]) == ("MixUp", "MixUp (2)")


def test_the_snippet_trains_the_recipes_networks(
    recipe: Recipe, result: Result, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(core.data, "load_data", loading.load_data)
    exec(compile(recipe.python(), "snippet", "exec"), {})
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines() if line)
    for name in NAMES:
        assert float(printed[name]) == pytest.approx(result.figures[f"{name}/acc"], abs=0.05)


@pytest.mark.parametrize(("given", "said"), [
    ({"first": Standard()}, "Mixing.first = .* mixes no pictures; give MixUp"),
    ({"first": None}, "Mixing.first = None mixes no pictures"),
    ({"second": Standard()}, "Mixing.second = .* mixes no pictures"),
    ({"pictures": 5}, r"Mixing.pictures = 5 is out of range"),
])  # fmt: skip
def test_bad_input_is_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Mixing(**given)
