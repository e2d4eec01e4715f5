"""The snippet of a training, and of the trigger that is fitted before it."""

from __future__ import annotations

from core.triggers.shared.offline import OfflineTrigger
from lab.recipes import Recipe
from lab.snippets.script import Script
from models import available


def training(script: Script, recipe: Recipe) -> None:
    """Train the network from its first weights, or a given model further."""
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    data = script.data(recipe)
    script.lines.append(f'train = load_data({data}, "train")')
    if str(recipe.model).startswith("arch:"):
        script.use("lab.loading", "fresh")
        name = script.code(str(recipe.data))
        script.lines.append(f"model = fresh({script.code(recipe.model)}, train, {name}, seed={recipe.seed})")
    else:
        script.use("models", "load")
        script.lines.append(f"model = load({script.code(recipe.model)})")
    fit_poison(script, recipe)
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"repaired = finish(method.run(model, train, seed={recipe.seed}), bar=True)",
        f'test = load_data({data}, "test")',
        "print(evaluate(repaired, test, trigger=repaired.trigger, target=repaired.target, "
        'mode=repaired.mode or "all-to-one"))',
    ]


def fit_poison(script: Script, recipe: Recipe) -> None:
    """A trigger that is fitted before the training, in the variable `trigger`."""
    poison = getattr(recipe.method, "poison", None)
    trigger = getattr(poison, "trigger", None)
    if not isinstance(trigger, OfflineTrigger):
        return
    clean, made = f"zoo:{recipe.data}-clean", script.code(trigger)
    shipped = any(card.ref == clean for card in available())
    if shipped:
        script.use("models", "load")
    fitted_to = f"load({script.code(clean)})" if shipped else "model"
    target = getattr(poison, "target", 0)
    fit = f"{made}.fit({fitted_to}, train, target={target}, seed={recipe.seed})"
    script.lines.append(f"trigger = finish({fit}, bar=True)")
    script.named[id(trigger)] = "trigger"
