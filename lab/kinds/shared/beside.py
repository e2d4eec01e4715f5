"""A second training beside the first, from the same start: which both are, what they are called, and their script."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab import methods
from lab.kinds.shared.learner import learner_lines
from lab.kinds.shared.setting import method_of

if TYPE_CHECKING:
    from lab.kinds.shared.script import Script
    from lab.recipes import Recipe

BESIDE = "beside/"
"""What the metrics and figures of the second training start with."""
ALONE = "nothing beside"
"""The outcome of a question about both where there is one."""


def beside(recipe: Recipe) -> Any:
    """The second training, None where there is none."""
    given = recipe.inputs.get("beside")
    return None if given is None else methods.from_dict(given)


def trainings(recipe: Recipe) -> dict[str, Any]:
    """The first by "", and the second, where there is one, by BESIDE."""
    both = {"": method_of(recipe), BESIDE: beside(recipe)}
    return {head: method for head, method in both.items() if method is not None}


def names(recipe: Recipe, called: Callable[[Any], str]) -> dict[str, str]:
    """The notes "method" and, where there is a second training, "beside": their names."""
    return {head.rstrip("/") or "method": called(method) for head, method in trainings(recipe).items()}


def training_lines(script: Script, recipe: Recipe) -> str:
    """The lines that make `repaired` and `other`, and return what `learner_lines` does."""
    script.use("core.runs", "finish")
    both = trainings(recipe)
    size = learner_lines(script, recipe, max(method.pictures for method in both.values()))
    for name, method in zip(("repaired", "other"), both.values(), strict=False):
        script.lines.append(f"{name} = finish({script.code(method)}.run(model, train, seed={recipe.seed}), bar=True)")
    return size


def trained_names(recipe: Recipe) -> str:
    """What a script's loop goes through: "repaired,", or "repaired, other"."""
    return "repaired," if beside(recipe) is None else "repaired, other"
