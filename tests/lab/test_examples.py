"""The example recipe of each page: there, readable, and about a model that ships; its knobs are the lab's defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.knobs import knobs_of
from core.training import AWP
from lab import cache_key, consistency_names
from lab.recipes import Recipe
from lab.robust_names import live, named
from models import load
from ui.pages import PAGES, Page

FOLDER = Path(__file__).parents[2] / "recipes"
ZOO = FOLDER.parent / "models" / "zoo"


@pytest.mark.parametrize("page", [page for page in PAGES if page.kind], ids=lambda page: page.slug)
def test_each_page_has_an_example(page: Page) -> None:
    recipe = Recipe.from_json((FOLDER / f"{page.slug}.json").read_text())
    assert recipe.kind.name == page.kind
    dials = getattr(recipe.method, "dials", ())  # a shipped trigger may be turned up
    starts = {"robust": named("AT-AWP", live(), AWP()), "consistency": consistency_names.live()}
    start = starts.get(page.kind, type(recipe.method)())
    for k in knobs_of(recipe.method):
        assert k.name in dials or getattr(recipe.method, k.name) == getattr(start, k.name), k.name
    assert Recipe.from_query(recipe.to_query()) == recipe
    compile(recipe.python(), page.slug, "exec")
    first = recipe.chain[-1].model
    assert isinstance(first, str) and (ZOO / first.removeprefix("zoo:") / "config.json").is_file()


@pytest.mark.parametrize("file", sorted(ZOO.glob("*/recipe.json")), ids=lambda file: file.parent.name)
def test_each_shipped_model_has_the_recipe_that_trains_it(file: Path) -> None:
    recipe = Recipe.from_json(file.read_text())
    assert recipe.kind.name in ("training", "robust", "consistency") and str(recipe.model).startswith(("arch:", "zoo:"))
    assert file.parent.name.startswith(f"{recipe.data.split('-')[0]}-")


def test_the_key_reads_a_shipped_models_sha_without_opening_it() -> None:
    assert cache_key.model_sha("zoo:scenes-badnets") == load("zoo:scenes-badnets").card.sha
    with pytest.raises(ValueError, match="no-such-model"):
        cache_key.model_sha("zoo:no-such-model")
