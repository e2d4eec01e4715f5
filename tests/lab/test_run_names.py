"""A run as the name of the model that it leaves."""

from __future__ import annotations

import base64
import zlib

import pytest

from core.defenses import FineTuning
from core.training import PoisonedFineTuning
from core.triggers import BadNets, Poison
from lab import run_names
from lab.recipes import Recipe

INNER = Recipe(PoisonedFineTuning(Poison(BadNets(), target=2), steps=20), "zoo:scenes-clean", inputs={"n": 60})
OUTER = Recipe(FineTuning(steps=5), INNER, seed=3)


@pytest.mark.parametrize("recipe", [INNER, OUTER], ids=["one run", "a chain"])
def test_a_name_holds_the_whole_recipe_and_the_seconds(recipe: Recipe) -> None:
    ref = run_names.encode(recipe.to_dict(), 41.6)
    data, seconds = run_names.decode(ref)
    assert run_names.is_run(ref) and Recipe.from_dict(data) == recipe and seconds == 42
    assert run_names.text_of(ref) == recipe.to_json() and len(ref) < 1000


def test_a_recipe_on_a_named_run_is_a_chain() -> None:
    named = Recipe(FineTuning(steps=5), run_names.encode(INNER.to_dict(), 10), seed=3)
    assert named == OUTER and named.chain[1] == INNER
    assert Recipe.from_query(named.to_query()) == OUTER


def packed(data: bytes) -> str:
    return run_names.PREFIX + base64.urlsafe_b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "ref",
    ["run:", "run:%%%", "run:abc", packed(b"no json"), packed(b"[1]"), packed(b'{"recipe": 3, "seconds": 1}'),
     packed(b'{"recipe": {}}'), packed(b" " * 10_000_000)],
)  # fmt: skip
def test_a_broken_name_is_one_sentence(ref: str) -> None:
    with pytest.raises(ValueError, match="copy it again"):
        run_names.decode(ref)
    with pytest.raises(ValueError, match="copy it again"):
        Recipe(FineTuning(), ref)
