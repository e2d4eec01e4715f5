"""Training the nets of a family, each into a folder of its name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import models
from core.runs import finish
from lab import saving
from lab.recipes import Recipe
from lab.settings import settings

LEARNED = 0.8
"""The attack success from which a net counts as backdoored."""


def default_folder() -> Path:
    """Where nets are kept unless told otherwise: in the lab's cache."""
    return settings.cache_folder / "family"


def trained(folder: Path) -> bool:
    """Whether a folder holds a net, all of it."""
    return (folder / "README.md").is_file()  # what `models.save` writes last


def train(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Train a net by its recipe and save it; returns its scores on the test images."""
    result = finish(recipe.run())
    saving.save(result, folder)
    model: Any = result.model
    return model.card.scores["test"]


def backdoored(folder: Path) -> bool:
    """Whether the net of a folder learned its trigger; of one that did not, no repair is scored."""
    return models.load(str(folder)).card.scores["test"]["asr"] >= LEARNED


def train_missing(recipes: dict[str, Recipe], folder: Path) -> None:
    """Train what is not in `folder` yet, and print a line for each net."""
    for name, recipe in recipes.items():
        if trained(folder / name):
            continue
        start = time.perf_counter()
        scores = train(recipe, folder / name)
        said = f"ACC {100 * scores['acc']:.1f} %, ASR {100 * scores['asr']:.1f} %"
        print(f"{name}: {said}, n = {scores['n']}, {time.perf_counter() - start:.0f} s", flush=True)
