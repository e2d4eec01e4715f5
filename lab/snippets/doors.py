"""What opens a backdoor, in a snippet: the trigger, fitted first where it must be, with its target and its mode."""

from __future__ import annotations

from core.triggers.shared.offline import OfflineTrigger
from core.triggers.shared.trigger import LearnedTrigger
from lab import fitting, methods
from lab.recipes import Recipe
from lab.snippets.script import SIZE, Script


def door(script: Script, recipe: Recipe) -> str:
    """Trigger, target and mode as one dictionary: the recipe's, else the model's."""
    given = recipe.inputs
    trigger = brought(script, recipe) if "trigger" in given else "model.trigger"
    target = repr(given["target"]) if "target" in given else "model.target"
    mode = script.code(given["mode"]) if "mode" in given else 'model.mode or "all-to-one"'
    return f'attack = {{"trigger": {trigger}, "target": {target}, "mode": {mode}}}'


def backdoor(script: Script, recipe: Recipe) -> str:
    """Trigger and target as one dictionary: the recipe's, else the model's, else BadNets to class 0."""
    given = recipe.inputs
    if "trigger" in given:
        trigger = brought(script, recipe)
    else:
        script.use("core.triggers", "BadNets")
        trigger = "model.trigger or BadNets()"
    target = repr(given["target"]) if "target" in given else "model.target or 0"
    return f'attack = {{"trigger": {trigger}, "target": {target}}}'


def brought(script: Script, recipe: Recipe) -> str:
    """The trigger of the inputs; one that learns takes what the model's own has learned, or is fitted first."""
    trigger, target = methods.from_dict(recipe.inputs["trigger"]), recipe.inputs.get("target", "model.target or 0")
    if not isinstance(trigger, LearnedTrigger):
        return script.code(trigger)
    script.lines.append(f"trigger = {script.code(trigger)}.taught_by(model.trigger)")
    if isinstance(trigger, OfflineTrigger):
        if (ref := fitting.teacher(trigger, recipe.data)) is not None:
            script.lines.append(f"trigger = trigger.taught_by(load({script.code(ref)}).trigger)")
        script.use("core.runs", "finish")
        limit = max(fitting.FEWEST, getattr(trigger, "pictures", 0))
        script.lines += [
            "if not trigger.state:",
            f'    train = load_data({script.data(recipe)}, "train", limit={limit}, {SIZE})',
            f"    trigger = finish(trigger.fit(model, train, target={target}, seed={recipe.seed}), bar=True)",
        ]
    return "trigger"
