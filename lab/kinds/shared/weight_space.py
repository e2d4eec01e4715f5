"""What the measures in weight space share: their pictures, and what cannot be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.data import ImageSet
from lab import loading
from lab.kinds.kind import Score
from lab.kinds.shared.script import SIZE, Script
from lab.kinds.shared.setting import method_of, require_classes, size_of
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

PICTURES = 256
"""Pictures that a loss is measured on where the recipe says no n."""


REFERENCE = Score(
    "reference", "Loss", unit="nats", better="down", live=True,
    help="Mean cross-entropy at the model's own weights: on attacked pictures, or on them as they are.",
)  # fmt: skip


def measured(recipe: Recipe, model: Classifier) -> ImageSet:
    """The first n pictures of the recipe's split; ValueError where there is nothing to measure."""
    method = method_of(recipe)
    if recipe.inputs.get("n", PICTURES) < 2:
        raise ValueError("A loss is measured as a mean over pictures, and one picture says little; give at least 2.")
    if method.loss == "robust" and method.eps == 0:
        raise ValueError("ε = 0 attacks nothing, so the robust loss is the clean one; raise ε, or choose loss = clean.")
    if getattr(method, "xi", 1.0) == 0:
        raise ValueError("ξ = 0 moves no weight, so the flatness is 0 whatever the model; raise ξ.")
    split, n = recipe.inputs.get("split", "test"), recipe.inputs.get("n", PICTURES)
    data = loading.images(recipe.data, split, limit=n, size=size_of(model))
    require_classes(recipe, model, data)
    return data


def data_line(script: Script, recipe: Recipe) -> str:
    """The line that loads them."""
    split, n = recipe.inputs.get("split", "test"), recipe.inputs.get("n", PICTURES)
    return f'data = load_data({script.data(recipe)}, "{split}", limit={n}, {SIZE})'


def loss_of(recipe: Recipe) -> str:
    """ "robust loss" or "clean loss"."""
    return f"{method_of(recipe).loss} loss"
