"""A chain of defenses on one backdoored model: where it begins, and the repairs an attacker makes of that model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from core.defenses import DEFENSES, FinePruning, FineTuning
from core.knobs import Method
from core.runs import Run
from lab.kinds.shared.setting import model_of

if TYPE_CHECKING:
    from lab.recipes import Recipe

SURROGATES = (FineTuning(), FinePruning())
"""What the attacker repairs the backdoored model with, to learn from the results (transfer only)."""


def first_link(recipe: Recipe) -> Recipe:
    """The first defense of the chain, whose model is the backdoored one; the recipe itself where there is none."""
    while not isinstance(recipe.model, str) and type(recipe.model.method) in DEFENSES:
        recipe = recipe.model
    return recipe


def attackers(recipe: Recipe) -> list[Method]:
    """The defenses by which the attacker repairs the backdoored model: other ones than the defender's."""
    first = first_link(recipe).method
    return [method for method in SURROGATES if not isinstance(first, type(method))]


def surrogates_of(recipe: Recipe) -> Run[list[nn.Module]]:
    """The backdoored model, as the attacker has repaired it."""
    found: list[nn.Module] = []
    for method in attackers(recipe):
        inputs = {"n": 1} | {name: value for name, value in recipe.inputs.items() if name != "n"}
        own = first_link(recipe).replace(method=method, data=recipe.data, inputs=inputs, seed=0)
        found.append((yield from model_of(recipe.replace(model=own))))
    return found
