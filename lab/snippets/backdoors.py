"""Snippets of what is done to a backdoor: try the trigger, write it in, repair, detect, rank and re-activate."""

from __future__ import annotations

from typing import Any

from lab import methods
from lab.experiments.detector import INPUTS, TRAINING
from lab.experiments.reactivation import FIT, SCORED, attackers
from lab.recipes import Recipe
from lab.settings import settings
from lab.snippets.doors import backdoor, door
from lab.snippets.script import SIZE, Script


def trigger(script: Script, recipe: Recipe) -> None:
    """Scores of the trigger."""
    script.use("core.metrics", "evaluate")
    inputs = recipe.inputs | {"trigger": methods.to_dict(recipe.method)}
    script.lines += [
        door(script, recipe.replace(inputs=inputs)),
        test_images(script, recipe, settings.control_n),
        "print(evaluate(model, test, **attack))",
    ]


def injection(script: Script, recipe: Recipe) -> None:
    """Write the backdoor, and scores before and after."""
    changed(script, recipe, backdoor(script, recipe), "model, clean, **attack")


def defense(script: Script, recipe: Recipe) -> None:
    """Repair, and scores before and after."""
    oracle = getattr(recipe.method, "selection", "") == "oracle"
    peek = f"lambda now: evaluate(now, test[:{settings.live_n}], **attack).asr" if oracle else ""
    changed(script, recipe, door(script, recipe), "model, clean", peek)


def changed(script: Script, recipe: Recipe, opened: str, given: str, peek: str = "") -> None:
    """A changed copy of the model, made from clean pictures, and scores before and after.

    opened : the line of the backdoor; given : what `run` is given before the seed; peek : the oracle, where it has one
    """
    script.use("core.runs", "finish")
    script.use("core.metrics", "evaluate")
    script.lines += [
        f'clean = load_data({script.data(recipe)}, "defender", {SIZE})',
        test_images(script, recipe, settings.control_n),
        opened,
        f"method = {script.code(recipe.method)}",
        *([f"peek = {peek}"] if peek else []),
        f"repaired = finish(method.run({given}, seed={recipe.seed}{', oracle=peek' if peek else ''}), bar=True)",
        'print("before", evaluate(model, test, **attack))',
        'print("after", evaluate(repaired, test, **attack))',
    ]


def test_images(script: Script, recipe: Recipe, n: int) -> str:
    """The line that loads the test images: as many as the recipe says, else `n`."""
    return f'test = load_data({script.data(recipe)}, "test", limit={recipe.inputs.get("n", n)}, {SIZE})'


def detector(script: Script, recipe: Recipe) -> None:
    """The suspects, what the detector says, and its ROC curve, which is computed outside of it."""
    script.use("core.data", "suspects")
    script.use("core.metrics", "roc")
    script.use("core.runs", "finish")
    script.use("core.triggers", "BadNets")
    data, given = script.data(recipe), recipe.inputs
    method: Any = recipe.method
    script.lines += [
        door(script, recipe),
        'attack |= {"trigger": attack["trigger"] or BadNets(), "target": attack["target"] or 0}',
        f'clean = load_data({data}, "defender", {SIZE})',
    ]
    if method.suspects == "inputs":
        script.lines += [
            test_images(script, recipe, INPUTS),
            f"images, truth = suspects.inputs(test, **attack, seed={recipe.seed})",
        ]
    else:
        script.use("core.triggers", "Poison")
        rate = given.get("rate", 'own.get("rate", 0.1)')
        script.lines += [
            'own = model.card.recipe.get("method", {}).get("poison") or {}  # how its training was poisoned',
            f'poison = Poison(**attack, rate={rate}, clean_label=own.get("clean_label", False))',
            f'train = load_data({data}, "train", limit={given.get("n", TRAINING)}, {SIZE})',
            f"images, truth = suspects.training(train, poison, seed={recipe.seed})",
        ]
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, images, clean=clean, seed={recipe.seed}), bar=True)",
        "curve = roc(found.scores, truth)",
        'print("AUROC", curve.auroc, "TPR at 5 % FPR", curve.tpr_at(0.05))',
    ]


def ranking(script: Script, recipe: Recipe) -> None:
    """The oracle ranking of the model's channels, and how far a defense's own agrees with it."""
    script.use("core.runs", "finish")
    script.use("core.metrics.rankings", "REPORTED", "overlap", "suspicion")
    script.use("core.metrics.tac", "pairs")
    report = "repaired.report" if isinstance(recipe.model, Recipe) else "{}"
    script.lines += [
        door(script, recipe),
        test_images(script, recipe, settings.control_n),
        f"method = {script.code(recipe.method)}",
        "tac = finish(method.run(model, *pairs(test, **attack)), bar=True)",
        f"found = {{kind: suspicion({report}, kind) for kind in REPORTED}}",
        "print({kind: overlap(scores, tac, [0.01, 0.05, 0.1]) for kind, scores in found.items() if scores})",
    ]


def reactivation(script: Script, recipe: Recipe) -> None:
    """Wake the backdoor of the model at hand, at the method's own budget, with all controls."""
    script.use("core.runs", "finish")
    data = script.data(recipe)
    given = ["test=test", "**attack", f"seed={recipe.seed}"]
    script.lines += [
        f'fit = load_data({data}, "train", limit={FIT}, {SIZE})',
        test_images(script, recipe, SCORED),
        backdoor(script, recipe),
    ]
    if isinstance(recipe.data, str):
        script.use("models", "available", "load")
        twin = f"zoo:{recipe.data}-clean"
        script.lines.append(f'twin = load("{twin}") if "{twin}" in [card.ref for card in available()] else None')
        given.append("clean_model=twin")
    if getattr(recipe.method, "threat", "") == "transfer":
        others = ", ".join(script.code(other) for other in attackers(recipe))
        script.lines += [
            f'clean = load_data({data}, "defender", {SIZE})',
            f"others = [{others}]  # the attacker's own repairs of the backdoored model",
            "surrogates = [finish(other.run(backdoored, clean), bar=True) for other in others]",
        ]
        given.append("surrogates=surrogates")
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, fit, {', '.join(given)}), bar=True)",
        "print(found.asr)",
    ]
