"""'As Python': the lines that reproduce a recipe with `core` and `models` alone.

script.py collects them; doors.py writes what opens a backdoor; backdoors.py, pictures.py and training.py hold one
function for each kind of recipe.
"""

from __future__ import annotations

from collections.abc import Callable

from lab.experiments.reactivation import first_link
from lab.recipes import Recipe
from lab.snippets import backdoors, pictures
from lab.snippets.script import Script
from lab.snippets.training import training

EXPERIMENTS: dict[str, Callable[[Script, Recipe], None]] = {
    "trigger": backdoors.trigger, "injection": backdoors.injection, "defense": backdoors.defense,
    "detector": backdoors.detector, "ranking": backdoors.ranking, "reactivation": backdoors.reactivation,
    "attack": pictures.attack, "explainer": pictures.explainer, "training": training,
}  # fmt: skip
"""What writes a recipe of each kind; it finds the model in the variable `model`."""


def python(recipe: Recipe) -> str:
    """A script that runs the recipe and prints its figures."""
    transfer = getattr(recipe.method, "threat", "") == "transfer"
    script = Script(kept=first_link(recipe) if transfer else None)
    add(script, recipe)
    return script.text()


def add(script: Script, recipe: Recipe) -> None:
    """The lines of one recipe, after those of the recipe that its model stands for."""
    if isinstance(recipe.model, Recipe):
        add(script, recipe.model)
        script.lines += [""] if recipe.kind == "ranking" else ["model = repaired", ""]
    elif recipe.kind != "training":
        script.use("models", "load")
        script.lines.append(f"model = load({script.code(recipe.model)})")
    if recipe is script.kept:
        script.lines.append("backdoored = model")
    EXPERIMENTS[recipe.kind](script, recipe)
