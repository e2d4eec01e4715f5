"""The example recipe of each page: there, readable, and about a model that ships; its knobs are the lab's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.knobs import knobs_of
from lab import keys
from lab.recipes import Recipe
from models import load

FOLDER = Path(__file__).parents[2] / "recipes"
ZOO = FOLDER.parent / "models" / "zoo"
KINDS = {"triggers": "trigger", "regions": "attack", "defend": "defense", "compare": "defense", "detect": "detector",
         "weights": "injection", "reactivate": "reactivation"}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_page_has_an_example(name: str) -> None:
    recipe = Recipe.from_json((FOLDER / f"{name}.json").read_text())
    assert recipe.kind == KINDS[name]
    assert all(getattr(recipe.method, k.name) == k.default for k in knobs_of(recipe.method))
    assert Recipe.from_query(recipe.to_query()) == recipe
    compile(recipe.python(), name, "exec")
    first = keys.chain(recipe)[-1].model
    assert isinstance(first, str) and (ZOO / first.removeprefix("zoo:") / "config.json").is_file()


@pytest.mark.parametrize("file", sorted(ZOO.glob("*/recipe.json")), ids=lambda file: file.parent.name)
def test_each_shipped_model_has_the_recipe_that_trains_it(file: Path) -> None:
    recipe = Recipe.from_json(file.read_text())
    assert recipe.kind == "training" and str(recipe.model).startswith(("arch:", "zoo:"))
    assert file.parent.name.startswith(f"{recipe.data}-")


def test_the_key_reads_a_shipped_models_sha_without_opening_it() -> None:
    assert keys.model_sha("zoo:scenes-badnets") == load("zoo:scenes-badnets").card.sha
    with pytest.raises(ValueError, match="no-such-model"):
        keys.model_sha("zoo:no-such-model")
