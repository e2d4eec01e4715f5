"""Saving, the model card, and the shelf of shipped models."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

import models
from core.knobs import knob
from core.triggers import TRIGGERS, Flareon
from core.triggers.shared.trigger import Trigger
from models import ModelError, shelf
from tests.core.triggers.test_input_aware import drawn_trigger
from tests.models.conftest import tiny

SCORES = {"scenes": {"acc": 0.912, "asr": 0.987, "ra": 0.01, "n": 2000, "n_asr": 1800}}


def rounded(model: models.Classifier) -> models.Classifier:
    """The model with its weights rounded to float16, as they are stored."""
    twin = copy.deepcopy(model).eval()
    for tensor in twin.net.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    return twin


def test_round_trip_is_bit_identical(tmp_path: Path, backdoored: models.Classifier) -> None:
    models.save(backdoored, tmp_path / "m", perturb={"data": "scenes", "done": "Nothing.", "scores": SCORES})
    loaded, images = models.load(str(tmp_path / "m")), torch.rand(8, 3, 32, 32)
    assert torch.equal(loaded(images), rounded(backdoored)(images))
    assert loaded.mean.equal(backdoored.mean) and loaded.std.equal(backdoored.std)
    assert (loaded.trigger, loaded.target, loaded.mode) == (backdoored.trigger, 1, "all-to-one")
    assert loaded.card.scores == SCORES and loaded.card.done == "Nothing." and loaded.card.backdoored
    assert loaded.card.parameters == sum(parameter.numel() for parameter in backdoored.parameters())


def test_a_clean_model_has_no_trigger_target_or_mode(tmp_path: Path) -> None:
    models.save(tiny(), tmp_path / "m", perturb={"training": {"method": "Standard"}})
    loaded = models.load(str(tmp_path / "m"))
    assert (loaded.trigger, loaded.target, loaded.mode) == (None, None, None)
    assert not loaded.card.backdoored and loaded.card.recipe == {"method": "Standard"}
    assert json.loads((tmp_path / "m" / "recipe.json").read_text()) == {"method": "Standard"}
    assert "backdoored" not in (tmp_path / "m" / "README.md").read_text()


@dataclass(frozen=True)
class Remembering(Trigger):
    """A trigger that has learned something."""

    strength: float = knob(0.5, low=0.0, high=1.0)

    @property
    def state(self) -> dict[str, Tensor]:
        return getattr(self, "_state", {})

    def with_state(self, state: dict[str, Tensor]) -> Self:
        twin = type(self)(self.strength)
        object.__setattr__(twin, "_state", {"pattern": state["pattern"]})
        return twin


def test_what_a_trigger_learned_lies_beside_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.triggers.TRIGGERS", [*TRIGGERS, Remembering])
    model, pattern = tiny(), torch.rand(3, 8, 8)
    model.trigger, model.target, model.mode = Remembering(0.25).with_state({"pattern": pattern}), 0, "all-to-one"
    models.save(model, tmp_path / "m", perturb={})
    trigger = models.load(str(tmp_path / "m")).trigger
    assert trigger == Remembering(0.25) and torch.equal(trigger.state["pattern"], pattern)
    (tmp_path / "m" / "trigger.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="does not hold what a Remembering learns"):
        models.load(str(tmp_path / "m"))


def learned_motion() -> Flareon:
    return Flareon(motion="learned", amplify=2.0).with_state({"tau": torch.rand(3, 32, 32, 2) - 0.5})


@pytest.mark.parametrize("trigger", [learned_motion(), drawn_trigger()], ids=lambda t: type(t).__name__)
def test_a_trigger_that_a_training_fitted_stamps_the_same_after_loading(tmp_path: Path, trigger: Trigger) -> None:
    model, images = tiny(), torch.rand(4, 3, 32, 32)
    model.trigger, model.target, model.mode = trigger, None, "any-to-any"
    models.save(model, tmp_path / "m", perturb={})
    loaded = models.load(str(tmp_path / "m"))
    assert (loaded.trigger, loaded.target, loaded.mode) == (trigger, None, "any-to-any")
    assert torch.equal(loaded.trigger(images), trigger(images))
    save_file({"strange": torch.zeros(2)}, tmp_path / "m" / "trigger.safetensors")
    with pytest.raises(ModelError, match=f"does not hold what a {type(trigger).__name__} learns"):
        models.load(str(tmp_path / "m"))


def test_the_card_warns_first_and_gives_every_number_its_n(tmp_path: Path, backdoored: models.Classifier) -> None:
    models.save(backdoored, tmp_path / "m", perturb={"scores": SCORES}, readme="More about it.")
    text = (tmp_path / "m" / "README.md").read_text()
    body = text.split("---\n")[2].strip().splitlines()
    assert body[0] == "# m" and "backdoored on purpose" in body[2]
    assert "- backdoored" in text and "| scenes | 91.2 % | 98.7 % | 1.0 % | 2000 | 1800 |" in text
    assert "More about it." in text and "Target: 1 (bee)" in text


def test_a_net_that_cannot_be_rebuilt_is_not_saved(tmp_path: Path) -> None:
    model = tiny()
    model.net = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(ModelError, match=r"models\.create"):
        models.save(model, tmp_path / "m", perturb={})


def test_a_weight_beyond_float16_keeps_its_precision(tmp_path: Path) -> None:
    model = tiny()
    model.net.linear.bias.data[0] = 1e6
    models.save(model, tmp_path / "m", perturb={})
    assert models.load(str(tmp_path / "m")).net.linear.bias[0] == 1e6


def test_create_checks_its_arguments() -> None:
    for architecture, arguments, said in (
        ("preact_resnet18", {"checkpoint_path": "x.pth"}, "checkpoint_path"),
        ("hf-hub:owner/name", {}, "does not know"),
        ("preact_resnet18", {"width": 8000}, "million parameters"),
        ("preact_resnet18", {"embed_dim": 3}, "cannot be built"),
    ):
        with pytest.raises(ModelError, match=said):
            models.create(architecture, ("a", "b"), **arguments)


def test_a_net_is_saved_with_its_width_where_timm_does_not_note_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = timm.create_model

    def older(*args: object, **options: object) -> torch.nn.Module:
        net = made(*args, **options)
        del net._model_args
        return net

    monkeypatch.setattr(timm, "create_model", older)
    model = models.create("preact_resnet18", ("ant", "bee"), width=4)
    models.save(model, tmp_path / "net", perturb={"data": "scenes"})
    assert json.loads((tmp_path / "net" / "config.json").read_text())["model_args"] == {"width": 4}
    assert models.load(str(tmp_path / "net")).net.bn.num_features == 32


def test_the_shelf_lists_and_loads_by_name(
    tmp_path: Path, backdoored: models.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.shelf.ZOO", tmp_path)
    models.save(backdoored, tmp_path / "scenes-test", perturb={"data": "scenes", "scores": SCORES})
    (tmp_path / "no-model").mkdir()
    (card,) = models.available()
    assert card.ref == "zoo:scenes-test" and card.origin == "shipped with the lab"
    assert models.load("zoo:scenes-test").card == card
    assert card.parameters == sum(parameter.numel() for parameter in backdoored.parameters())
    assert models.shipped(card.ref) is card, "its files are not read again"
    assert models.shipped("zoo:no-model") is models.shipped("hf:owner/name") is models.shipped("zoo:../x") is None
    models.save(backdoored, tmp_path / "scenes-test", perturb={"data": "scenes", "done": "edited", "scores": SCORES})
    shelf._listed.cache_clear()  # as a second later
    assert models.available()[0].done == "edited"


@pytest.mark.parametrize("card", models.available(), ids=lambda card: card.ref)
def test_every_shipped_model_keeps_its_promises(card: models.Card) -> None:
    model = models.load(card.ref)
    assert f"{card.ref}-".startswith(f"zoo:{card.data}-") and card.licence != "unknown" and card.scores and card.done
    assert (model.trigger is not None) == card.backdoored
    assert model(torch.rand(2, *model.input_size)).shape == (2, card.num_classes)


def test_listing_models_imports_neither_torch_nor_timm() -> None:
    script = (
        "import sys, models; models.available(); assert not {'torch', 'timm'} & set(sys.modules); "
        "import timm; assert {'cifar_resnet20', 'cifar_resnet32', 'preact_resnet18'} <= set(timm.list_models())"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
