"""Experiments on a CUDA device: where models and pictures live, and every page's example; skipped without one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.runs import finish
from core.training import Standard
from core.triggers import Blended, Poison
from lab import cache_key, loading
from lab.recipes import Recipe
from ui.pages import PAGES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, which this machine lacks"),
]
RECIPES = Path(__file__).parents[2] / "recipes"
BADNETS = "zoo:scenes-badnets"


def test_models_and_pictures_live_on_the_gpu() -> None:
    assert next(loading.classifier(BADNETS).parameters()).is_cuda
    assert loading.images("scenes", "test", limit=100).images.is_cuda


@pytest.mark.parametrize("page", [page for page in PAGES if page.kind], ids=lambda page: page.slug)
def test_every_page_s_example_runs_there(page) -> None:
    recipe = Recipe.from_json((RECIPES / f"{page.slug}.json").read_text())
    if "n" in recipe.kind.inputs:
        recipe = recipe.replace(inputs=recipe.inputs | {"n": 200})
    result = finish(recipe.run())
    assert result.device == f"cuda: {torch.cuda.get_device_name()}" and result.figures
    if result.model is not None:
        assert next(result.model.parameters()).is_cuda
    assert cache_key.key_of_row(recipe, result.row()) == recipe.key()


def test_a_training_from_poisoned_data_runs_there() -> None:
    method = Standard(epochs=1, poison=Poison(Blended(), target=0, rate=0.1))
    result = finish(Recipe(method, BADNETS, inputs={"n": 200}).run())
    assert next(result.model.parameters()).is_cuda and 0 <= result.figures["after/acc"] <= 1  # type: ignore[union-attr]


def test_the_key_holds_the_kind_of_device(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(Standard(epochs=1), BADNETS)
    monkeypatch.delenv("PERTURB_DEVICE", raising=False)
    here = recipe.key()
    monkeypatch.setenv("PERTURB_DEVICE", "cuda:0")
    assert recipe.key() == here
    monkeypatch.setenv("PERTURB_DEVICE", "cpu")
    assert recipe.key() != here


def test_a_run_that_ran_out_of_memory_goes_on_and_says_so() -> None:
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    train = loading.images("scenes", "train")
    torch.cuda.set_per_process_memory_fraction(min(1.0, (torch.cuda.memory_reserved() + 2**30) / total))
    try:
        # 1,024 pictures of 32 pixels in a net of width 64 take several GiB with gradients.
        recipe = Recipe(Standard(epochs=1, batch_size=1024), "arch:preact_resnet18?width=64", inputs={"n": 200})
        result = finish(recipe.run())
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert len(train) >= 1024 and "in parts of at most" in result.notes["memory"]
    assert result.figures["report/micro_batch"] < 1024
