"""Recipe <-> JSON <-> link <-> key, over every registered method, and what is said when one is wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.attacks import PGD, Regional
from core.attacks.inputs.regional.masks import grid_to_hex
from core.data import Scenes
from core.defenses import STRIP, TSBD
from core.explain import GradCAM
from core.knobs import Method, knobs_of
from core.training import Standard
from core.triggers import SIG, BadNets, Poison
from lab import lru_cache, methods, uploads
from lab.kinds import kinds
from lab.recipes import Recipe

RUNNABLE = [cls for kind in kinds().values() for cls in kind.methods]
MODEL = "zoo:scenes-badnets"


def moved(cls: type[Method]) -> Method:
    """A method with every knob away from its default, as far as it has room."""
    values: dict[str, Any] = {}
    for k in knobs_of(cls):
        if k.kind is bool:
            values[k.name] = not k.default
        elif k.choices:
            values[k.name] = k.choices[-1]
        elif k.kind in (int, float):
            bounds = [bound for bound in (k.low, k.high) if bound is not None and bound != k.default]
            values[k.name] = k.kind(bounds[0]) if bounds else k.default
    try:
        return cls(**values)
    except ValueError:  # knobs that forbid one another
        return cls()


@pytest.mark.parametrize("cls", RUNNABLE, ids=lambda cls: cls.__name__)
def test_every_method_survives_json_and_link(cls: type[Method]) -> None:
    for method in (cls(), moved(cls), cls.paper()):
        recipe = Recipe(method, MODEL, "scenes", {"n": 50}, seed=3)
        assert Recipe.from_json(recipe.to_json()) == recipe
        query = recipe.to_query()
        assert query["v"] == "1" and all(isinstance(text, str) for text in query.values())
        assert Recipe.from_query(query) == recipe
        assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()


@pytest.mark.parametrize("cls", methods.registry().values(), ids=lambda cls: cls.__name__)
def test_every_registered_method_is_data(cls: type[Method]) -> None:
    for method in (cls(), moved(cls)):
        data = json.loads(json.dumps(methods.to_dict(method)))
        assert methods.from_dict(data) == method and data["method"] == cls.__name__


def test_nested_things_go_into_one_parameter() -> None:
    poisoned = Standard(epochs=1, poison=Poison(trigger=SIG(delta=0.1), target=3, rate=0.05))
    first = Recipe(TSBD(), MODEL, seed=1)
    for recipe in (
        Recipe(poisoned, "arch:preact_resnet18?width=16"),
        Recipe(TSBD(neuron_ratio=0.1), first, "scenes"),
        Recipe(PGD(), MODEL, Scenes(noise=0.2)),
        Recipe(TSBD(), MODEL, inputs={"trigger": methods.to_dict(BadNets(side=5))}),
    ):
        query = recipe.to_query()
        assert set(query) == {"v", "recipe"} and query["v"] == "1"
        again = Recipe.from_query(query)
        assert again == recipe and hash(again) == hash(recipe)


def test_every_kind_of_input_survives_a_link() -> None:
    grid = torch.zeros(16, 16, dtype=torch.bool)
    grid[3:7, 2:14] = True
    inputs = {"images": [4, 0, 7], "n": 20, "target": 2, "mask": grid_to_hex(grid), "judge": "hf:owner/name@main"}
    recipe = Recipe(Regional(family="drawn"), MODEL, "cifar10", inputs)
    assert Recipe.from_query(recipe.to_query()) == recipe
    upload = recipe.replace(inputs={"images": "upload:" + "0a" * 32})
    assert Recipe.from_query(upload.to_query()) == upload
    for method, own in ((TSBD(), {"n": 9, "mode": "all-to-all"}), (STRIP(), {"rate": 0.05, "target": 3})):
        recipe = Recipe(method, MODEL, inputs=own)
        assert set(own) < set(recipe.to_query()) and Recipe.from_query(recipe.to_query()) == recipe


def test_an_input_that_the_kind_does_not_read_is_refused_and_in_a_link_left_alone() -> None:
    for method, name, value in ((TSBD(), "images", [1]), (PGD(), "mode", "all-to-one"), (GradCAM(), "judge", MODEL)):
        with pytest.raises(ValueError, match=f"reads no input '{name}'; it reads "):
            Recipe(method, MODEL, inputs={name: value})
    link = {"method": "TSBD", "model": MODEL, "n": "30", "images": "9", "judge": MODEL, "rate": "0.2"}
    assert Recipe.from_query(link) == Recipe(TSBD(), MODEL, inputs={"n": 30})
    assert Recipe.from_query(link).key() == Recipe(TSBD(), MODEL, inputs={"n": 30}).key()


def test_inputs_that_say_nothing_are_left_out() -> None:
    assert Recipe(TSBD(), MODEL, inputs={"target": None, "n": 5}) == Recipe(TSBD(), MODEL, inputs={"n": 5})


def test_a_link_leaves_out_nothing_so_that_defaults_may_change() -> None:
    query = Recipe(TSBD(), MODEL).to_query()
    assert {f"tsbd-{k.name}" for k in knobs_of(TSBD)} < set(query)


def test_a_link_may_leave_out_what_has_a_default_and_carry_what_is_not_ours() -> None:
    assert Recipe.from_query({"method": "TSBD", "model": MODEL, "embed": "true", "pgd-steps": "3"}) == Recipe(
        TSBD(), MODEL
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "names no method"),
        ({"method": "Nonsense"}, "'Nonsense' is not a registered method"),
        ({"method": "TSBD"}, "says no model"),
        ({"v": "2", "method": "TSBD", "model": MODEL}, "version '2'"),
        ({"method": "TSBD", "model": ""}, "model = ''"),
        ({"method": "TSBD", "model": MODEL, "seed": "x"}, "seed = 'x'"),
        ({"method": "TSBD", "model": MODEL, "seed": "-1"}, "seed = -1"),
        ({"method": "TSBD", "model": MODEL, "tsbd-neuron_ratio": "lots"}, "TSBD.neuron_ratio = 'lots'"),
        ({"method": "TSBD", "model": MODEL, "tsbd-neuron_ratio": "7"}, "TSBD.neuron_ratio = 7.0"),
        ({"method": "TSBD", "model": MODEL, "tsbd-neuron_ratio": "nan"}, "finite"),
        ({"method": "TSBD", "model": MODEL, "tsbd-steps": "1.5"}, "whole number"),
        ({"method": "TSBD", "model": MODEL, "tsbd-flip": "perhaps"}, "true or false"),
        ({"method": "TSBD", "model": MODEL, "tsbd-steps": "1" * 400}, "TSBD.steps = 111"),
        ({"recipe": '{"method": {"method": "TSBD", "lr": 1' + "0" * 400 + '}, "model": "x"}'}, "TSBD.lr = inf"),
        ({"recipe": '{"method": {"method": "TSBD"}, "model": ' * 300 + '"x"' + "}" * 300}, "chain of more than"),
        ({"method": "TSBD", "model": MODEL, "tsbd-schedule": "zigzag"}, "'zigzag'"),
        ({"method": "TSBD", "model": MODEL, "tsbd-colour": "red"}, "tsbd-colour"),
        ({"method": "Standard", "model": "arch:x", "standard-poison": "yes"}, "standard-poison"),
        ({"method": "TSBD", "model": MODEL, "n": "0"}, "n = 0"),
        ({"method": "TSBD", "model": MODEL, "n": "999999999"}, "n = 999999999"),
        ({"method": "TSBD", "model": MODEL, "mode": "all-to-nobody"}, "'all-to-nobody'"),
        ({"method": "PGD", "model": MODEL, "images": "1,two"}, "'two'"),
        ({"method": "PGD", "model": MODEL, "images": ",".join("1" * 500)}, "1 to 64 indices"),
        ({"method": "PGD", "model": MODEL, "images": "upload:../../etc"}, "upload:<sha256>"),
        ({"method": "Regional", "model": MODEL, "mask": "ff"}, "64 hex digits"),
        ({"method": "Regional", "model": MODEL, "mask": "0" * 64}, "mask is empty"),
        ({"recipe": "{"}, "not valid JSON"),
        ({"recipe": "[1]"}, "must be a JSON object"),
        ({"recipe": "[" * 100_000}, "not valid JSON"),
        ({"recipe": json.dumps({"method": {"method": "Module"}, "model": MODEL})}, "not a registered method"),
        ({"recipe": json.dumps({"method": {"method": "TSBD", "run": 1}, "model": MODEL})}, "no knob 'run'"),
        ({"recipe": json.dumps({"method": {"method": "TSBD", "lr": "fast"}, "model": MODEL})}, "TSBD.lr = 'fast'"),
        ({"recipe": json.dumps({"method": {"method": "TSBD", "lr": []}, "model": MODEL})}, "TSBD.lr"),
        (
            {"recipe": json.dumps({"method": {"method": "Standard", "poison": 3}, "model": "arch:x"})},
            "3 is not a method",
        ),
        ({"recipe": json.dumps({"method": {"method": "TSBD"}, "model": MODEL, "evil": 1})}, "no field 'evil'"),
        ({"recipe": json.dumps({"method": {"method": "TSBD"}, "model": MODEL, "inputs": {"x": 1}})}, "no input 'x'"),
        ({"recipe": json.dumps({"method": {"method": "TSBD"}, "model": MODEL, "inputs": []})}, "inputs = []"),
        ({"recipe": json.dumps({"method": {"method": "TSBD"}, "model": 5})}, "model = 5"),
        ({"recipe": json.dumps({"method": {"method": "TSBD"}, "model": MODEL, "data": 5})}, "data = 5"),
        (
            {"recipe": json.dumps({"method": {"method": "TSBD"}, "model": MODEL, "data": {"method": "TSBD"}})},
            "data = TSBD",
        ),
        (
            {
                "recipe": json.dumps(
                    {"method": {"method": "TSBD"}, "model": MODEL, "inputs": {"trigger": {"method": "PGD"}}}
                )
            },
            "is not a trigger",
        ),
    ],
)
def test_a_wrong_link_ends_in_one_sentence(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        Recipe.from_query(query)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_only_registered_methods_make_a_recipe() -> None:
    class Home(Method):
        pass

    with pytest.raises(ValueError, match="Home is not a registered method"):
        Recipe(Home(), MODEL)


def test_an_upload_is_named_by_its_pixels_and_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    ref = uploads.keep(picture)
    assert ref == uploads.keep(picture.clone()) and torch.equal(uploads.find(ref), picture)
    with pytest.raises(ValueError, match="upload it again"):
        uploads.find("upload:" + "0" * 64)
    monkeypatch.setattr(lru_cache, "time", SimpleNamespace(monotonic=lambda: 1e12))
    with pytest.raises(ValueError, match="upload it again"):
        uploads.find(ref)
