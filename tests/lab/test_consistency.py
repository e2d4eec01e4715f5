"""The kind `consistency`: figures by hand, two trainings at once, its card, its snippet, and bad input."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

import core.data
import core.data.backgrounds
from core.attacks import PGD
from core.data import ImageSet, Scenes
from core.data.backgrounds import CHALLENGE, challenge
from core.explain import Consistency, GradCAM
from core.metrics.localisation import energy_pointing_game
from core.networks.predictions import predict
from core.runs import finish
from core.training import ExplanationConsistency, Standard
from lab import loading, methods
from lab.kinds.shared import bias_test
from lab.recipes import Recipe
from lab.running.curve import Curve
from lab.running.stopped import stopped
from lab.saving import card_of
from lab.settings import settings

E = Consistency(attack=PGD(steps=1, stop_early=False))
OURS = ExplanationConsistency(
    consistency=E, epochs=2, warmup=0.0, refresh=1, floor=0.05, pictures=48, batch_size=16, lr=0.02
)
PLAIN = dataclasses.replace(OURS, weights="1")
BOTH = {"n": 24, "beside": methods.to_dict(PLAIN)}
DATA = "scenes-biased"


@pytest.fixture(scope="session")
def _challenge() -> dict[str, ImageSet]:
    return challenge(Scenes(bias=0.95), limit=40)


@pytest.fixture(autouse=True)
def _few(small: None, _challenge: dict[str, ImageSet], monkeypatch: pytest.MonkeyPatch) -> None:
    def one(name: str, scenes: Scenes, split: str, n: int | None) -> ImageSet:
        assert scenes == Scenes(bias=0.95) and split == "test"
        return _challenge[name][:n]

    monkeypatch.setattr(bias_test, "on_background", one)
    monkeypatch.setattr(core.data.backgrounds, "challenge", lambda *_, limit: {
        name: data[:limit] for name, data in _challenge.items()
    })  # fmt: skip
    monkeypatch.setattr(core.data, "load_data", loading.load_data)


def right(model: Any, data: ImageSet) -> float:
    return (predict(model, data.images).argmax(1) == data.labels).float().mean().item()


def test_the_figures_are_those_of_the_model_on_each_background(tiny_model: str, _challenge) -> None:
    result = finish(Recipe(OURS, tiny_model, DATA, {"n": 24}).run())
    found, model, sets = result.figures, result.model, {name: data[:24] for name, data in _challenge.items()}
    for name, key in zip(CHALLENGE, ("acc", "same", "shuffled", "object", "background"), strict=True):
        assert found[f"after/{key}"] == pytest.approx(right(model, sets[name])), name
        assert found[f"before/{key}"] == pytest.approx(right(loading.classifier(tiny_model), sets[name])), name
    assert found["after/gap"] == pytest.approx(found["after/same"] - found["after/shuffled"])
    free = sets["mixed random"]
    inside = energy_pointing_game(GradCAM()(model, free.pixels, free.labels), free.masks)
    assert found["after/epg"] == pytest.approx(inside.nanmean().item())
    train = loading.images(DATA, "train", limit=48)
    e = finish(E.run(model, train)).consistency
    assert torch.equal(result.images["E/after"], e) and found["after/consistency"] == pytest.approx(e.mean().item())
    assert set(result.images) == {"E/before", "E/after"} and result.counts["after/shuffled"] == 24


def test_each_of_two_trainings_ends_as_it_does_alone(tiny_model: str) -> None:
    both = finish(Recipe(OURS, tiny_model, DATA, BOTH).run())
    other = finish(Recipe(PLAIN, tiny_model, DATA, {"n": 24}).run())
    for key in ("acc", "shuffled", "consistency"):
        assert both.figures[f"beside/{key}"] == other.figures[f"after/{key}"]
    assert both.notes == {"method": "weights 1 − E", "beside": "plain training"}
    assert torch.equal(both.images["E/beside"], other.images["E/after"])
    assert "Plain training from the same start" in both.conclusion.text


def test_while_it_runs_both_are_scored_and_a_stopped_run_keeps_the_last_score(tiny_model: str, monkeypatch) -> None:
    for name, value in {"live_every": 0.0, "live_n": 10}.items():
        monkeypatch.setitem(settings.__dict__, name, value)
    recipe = Recipe(OURS, tiny_model, DATA, BOTH)
    curve = Curve(recipe.kind.scores)
    run = recipe.run(curve)
    while not any("beside/shuffled" in point and "shuffled" in point for point in curve.points):
        last = next(run)
    run.close()
    half = stopped(recipe, curve.points, last)
    assert {"before/shuffled", "after/shuffled", "beside/shuffled"} <= set(half.figures)
    assert half.counts["after/shuffled"] == 10


def test_the_card_says_what_was_done(tiny_model: str) -> None:
    result = finish(Recipe(OURS, tiny_model, DATA, {"n": 24}).run())
    card = card_of(result)
    assert "trained further by ExplanationConsistency on scenes-biased. Weights 1 − E." in card.done
    assert card.scores["test"] == {name: result.figures[f"after/{name}"] for name in ("acc", "shuffled")} | {"n": 24}


def test_a_fresh_network_has_no_before() -> None:
    result = finish(Recipe(PLAIN, "arch:preact_resnet18?width=2", DATA, {"n": 24}).run())
    assert "before/acc" not in result.figures and set(result.images) == {"E/after"} and result.conclusion is not None


def test_the_snippet_trains_the_recipes_models(tiny_model: str, capsys: pytest.CaptureFixture) -> None:
    recipe = Recipe(OURS, tiny_model, DATA, BOTH)
    names: dict[str, Any] = {}
    exec(compile(recipe.python(), "snippet", "exec"), names)
    result = finish(recipe.run())
    printed = [line for line in capsys.readouterr().out.splitlines() if "accuracy" in line]
    assert len(printed) == 2
    for model, head in ((names["repaired"], "after"), (names["other"], "beside")):
        scores = names["background_scores"](model, names["sets"])
        assert scores.accuracy["mixed random"] == pytest.approx(result.figures[f"{head}/shuffled"], abs=0.1)


@pytest.mark.parametrize("data", ["cifar10", "mnist"])
def test_data_without_masks_are_one_sentence(data: str) -> None:
    with pytest.raises(ValueError, match=rf"^{data} has no masks of its objects.*choose generated data: scenes or"):
        next(Recipe(OURS, "arch:preact_resnet18?width=2", data).run())


def test_one_picture_is_one_sentence(tiny_model: str) -> None:
    with pytest.raises(ValueError, match=r"^ExplanationConsistency weighs pictures against each other.*two or more\.$"):
        finish(Recipe(dataclasses.replace(OURS, pictures=1), tiny_model, DATA, {"n": 24}).run())


def test_only_such_a_training_may_stand_beside_it(tiny_model: str) -> None:
    with pytest.raises(ValueError, match="beside = Standard is not a training by explanation consistency"):
        Recipe(OURS, tiny_model, DATA, {"beside": methods.to_dict(Standard())})
