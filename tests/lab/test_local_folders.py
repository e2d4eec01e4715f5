"""Folders as models: only where whoever runs the server allows them, and a refusal does not tell what exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import models
from core.attacks import Regional
from core.data.shapes import SHAPES
from core.defenses import FineTuning
from core.flatness import Landscape
from core.runs import finish
from core.training import Standard
from lab import loading, local_folders
from lab.cli import main
from lab.kinds import kinds
from lab.recipes import Recipe
from lab.settings import Settings


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`server("0.0.0.0", local_folders="on")`: this process serves the app there, with these settings."""

    def serve(*addresses: str | None, **given: str) -> None:
        monkeypatch.setattr(local_folders, "_allowed", True)
        monkeypatch.setattr(local_folders, "settings", Settings(**given))
        local_folders.serve(*addresses)

    return serve


def answer(ref: str) -> str:
    """What the lab says to a visitor who names this model."""
    with pytest.raises(ValueError) as refused:
        loading.classifier(ref)
    return str(refused.value)


def saved(folder: Path) -> str:
    models.save(models.create("preact_resnet18", tuple(SHAPES), width=4), folder, perturb={"data": "scenes"})
    return str(folder)


@pytest.mark.parametrize(
    ("addresses", "given", "allowed"),
    [
        (["localhost", "localhost"], {}, True),
        (["127.0.0.1", "localhost"], {}, True),
        (["::1", "localhost"], {}, True),
        ([None, "localhost"], {}, False),  # all interfaces
        (["", "localhost"], {}, False),
        (["0.0.0.0", "localhost"], {}, False),
        (["::", "localhost"], {}, False),
        (["10.0.0.7", "localhost"], {}, False),
        (["unix:///run/lab.sock", "localhost"], {}, False),  # behind a proxy
        (["localhost", "lab.example.org"], {}, False),
        (["localhost", "localhost"], {"public_host": "a.hf.space"}, False),
        (["localhost", "localhost"], {"local_folders": "off"}, False),
        (["0.0.0.0", "localhost"], {"local_folders": "on"}, True),
    ],
)
def test_a_folder_is_opened_where_only_this_computer_reaches_the_server_or_the_setting_says_so(
    server: Any, tmp_path: Path, addresses: list[str | None], given: dict[str, str], allowed: bool
) -> None:
    ref = saved(tmp_path / "mine")
    server(*addresses, **given)
    if allowed:
        assert loading.classifier(ref).card.origin == "local folder"
    else:
        assert "opens no folders" in answer(ref)


def test_the_refusal_is_the_same_to_the_byte_whatever_is_there(server: Any, tmp_path: Path) -> None:
    server("0.0.0.0")
    folder = tmp_path / "there"
    said = [answer(str(folder))]
    folder.mkdir()
    said.append(answer(str(folder)))
    saved(folder)
    said.append(answer(str(folder)))
    assert len({each.encode() for each in said}) == 1
    assert answer("/etc").replace("/etc", "X") == answer("/no-such-folder").replace("/no-such-folder", "X")


def test_a_folder_that_is_already_loaded_is_refused_as_well(server: Any, tmp_path: Path) -> None:
    ref = saved(tmp_path / "loaded")
    loading.classifier(ref)
    server(None)
    assert "opens no folders" in answer(ref)


def test_shipped_models_and_those_of_the_hub_are_not_asked_about(server: Any) -> None:
    server(None)
    assert "zoo:nothing" not in answer("zoo:nothing") and "opens no folders" not in answer("zoo:nothing")
    assert "opens no folders" not in answer("hf:no one/here")


def recipes(ref: str) -> dict[str, Recipe]:
    """Every place of a recipe that a link fills and that names a model."""
    zoo = "zoo:scenes-badnets"
    return {
        "model": Recipe(FineTuning(steps=1), ref),
        "start of a training": Recipe(Standard(epochs=0), ref),
        "first of a chain": Recipe(FineTuning(steps=1), Recipe(FineTuning(steps=1), ref)),
        "judge": Recipe(Regional(steps=1), zoo, inputs={"images": [0], "judge": ref}),
        "judges": Recipe(Regional(steps=1), zoo, inputs={"images": [0], "judges": [ref]}),
        "other": Recipe(Landscape(steps=1), zoo, inputs={"n": 2, "other": ref}),
    }


@pytest.mark.parametrize("place", recipes("x"))
def test_no_place_in_a_recipe_opens_a_folder(server: Any, tmp_path: Path, place: str) -> None:
    ref = saved(tmp_path / "mine")
    server(None)
    for touch in (lambda recipe: finish(recipe.run()), Recipe.key):
        with pytest.raises(ValueError, match="opens no folders"):
            touch(recipes(ref)[place])


def test_every_input_that_names_a_model_is_tried_above() -> None:
    named = {name for kind in kinds().values() for name, each in kind.inputs.items() if each.model}
    assert named == {"judge", "judges", "other"}


def test_the_command_line_opens_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_folders, "settings", Settings(local_folders="off", public_host="a.hf.space"))
    file = tmp_path / "recipe.json"
    file.write_text(Recipe(FineTuning(steps=0), saved(tmp_path / "mine"), inputs={"n": 20}).to_json())
    assert main(["run", str(file), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["model"] == str(tmp_path / "mine")
