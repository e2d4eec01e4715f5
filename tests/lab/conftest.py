"""A tiny backdoored model in a folder, and small data: what experiments are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import models
from core.data import ImageSet, load_data
from core.data.scenes import SHAPES
from core.triggers import BadNets
from lab import loading, results

SMALL = {"train": 96, "heldout": 40, "test": 64, "defender": 60}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an untrained PreAct-ResNet of width 4 that says it was backdoored."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = models.create("preact_resnet18", tuple(SHAPES), width=4)
    model.trigger, model.target, model.mode = BadNets(), 0, "all-to-one"
    folder = tmp_path_factory.mktemp("zoo") / "tiny"
    models.save(model, folder, perturb={"data": "scenes", "done": "nothing"})
    return str(folder)


@pytest.fixture(scope="session")
def _pictures() -> dict[str, ImageSet]:
    return {split: load_data("scenes", split, limit=n)[:n] for split, n in SMALL.items()}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, _pictures: dict[str, ImageSet]) -> Iterator[None]:
    """`load_data` gives a few dozen pictures, nothing is kept from other tests, and every step is scored."""

    def few(data: Any, split: str, *, limit: int | None = None, seed: int = 0, size: int | None = None) -> ImageSet:
        return _pictures[split] if limit is None else _pictures[split][:limit]

    monkeypatch.setattr(loading, "load_data", few)
    monkeypatch.setenv("PERTURB_DEVICE", "cpu")
    monkeypatch.setattr(results.kept, "_held", results.kept._held.__class__())
    loading.classifiers.clear()
    loading.image_sets.clear()
    yield
    loading.classifiers.clear()
    loading.image_sets.clear()
