"""The model that a training leaves, as a folder that `models.load` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import models
from lab.results import Result


def save(result: Result, folder: Path) -> Path:
    """Save the model of a finished training with its scores and, beside it, the recipe that made it."""
    model: Any = result.model
    card = model.card
    block = {"data": card.data, "training": result.recipe.to_dict(), "scores": card.scores, "done": card.done}
    return models.save(model, folder, perturb=block | {"licence": "apache-2.0"})
