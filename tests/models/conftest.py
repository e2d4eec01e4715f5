"""A tiny model of our own architecture, as a folder and as a repository of a local Hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import models
from core.triggers import BadNets
from tests.support.hubs import local_hub
from tests.support.local_hub import HubServer

NAMES = ("ant", "bee", "cat")


def tiny(seed: int = 0, **options) -> models.Classifier:
    """A PreAct-ResNet-18 of width 4 with random weights and lived-in batch norms, in eval mode."""
    torch.manual_seed(seed)
    model = models.create("preact_resnet18", NAMES, width=4, **options)
    with torch.no_grad():
        for _ in range(3):
            model.train()(torch.rand(16, 3, 32, 32))
    return model.eval().requires_grad_(False)


@pytest.fixture
def backdoored() -> models.Classifier:
    model = tiny()
    model.trigger, model.target, model.mode = BadNets(), 1, "all-to-one"
    return model


@pytest.fixture
def root(tmp_path: Path, backdoored: models.Classifier) -> Path:
    """The folder of a local Hub that holds one model, owner/tiny."""
    block = {"data": "scenes", "done": "Random weights.", "licence": "mit", "scores": {}}
    models.save(backdoored, tmp_path / "hub" / "models" / "owner" / "tiny", perturb=block)
    return tmp_path / "hub"


@pytest.fixture
def repo(root: Path) -> Path:
    return root / "models" / "owner" / "tiny"


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[HubServer]:
    with local_hub(root, tmp_path / "home") as hub:
        yield hub
