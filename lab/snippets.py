"""'As Python': the lines that reproduce a recipe with `core` and `models` alone."""

from __future__ import annotations

import json
from typing import Any

from core.knobs import Method, knobs_of
from core.triggers.fitted import FittedTrigger
from core.triggers.trigger import LearnedTrigger
from lab import fitting, methods
from lab.experiments.detector import INPUTS, TRAINING
from lab.experiments.pictures import FEW
from lab.experiments.reactivation import FIT, SCORED
from lab.recipes import Recipe
from lab.settings import settings
from models import available

PACKAGES = {
    "trigger": "core.triggers", "attack": "core.attacks", "injection": "core.attacks", "reactivation": "core.attacks",
    "defense": "core.defenses", "training": "core.training",
    "explainer": "core.explain", "detector": "core.defenses", "ranking": "core.neurons", "data": "core.data",
}  # fmt: skip


def python(recipe: Recipe) -> str:
    """A script that runs the recipe and prints its figures."""
    script = Script()
    script.add(recipe, "model")
    return script.text()


class Script:
    """Imports and lines, collected while the recipe is walked from its first link to its last."""

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}
        self.lines: list[str] = []
        self.named: dict[int, str] = {}  # methods that stand in a variable, by id

    def text(self) -> str:
        """The script."""
        heads = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self.imports.items())]
        return "\n".join([*heads, "", *self.lines]) + "\n"

    def use(self, module: str, *names: str) -> None:
        """Import `names` of `module`."""
        self.imports.setdefault(module, set()).update(names)

    def code(self, value: Method | str | object) -> str:
        """A value as Python source; of a method, the knobs that differ from their defaults."""
        if id(value) in self.named:
            return self.named[id(value)]
        if not isinstance(value, Method):
            return json.dumps(value) if isinstance(value, str) else repr(value)
        cls = type(value)
        package = "core.triggers" if cls.__name__ == "Poison" else PACKAGES.get(methods.kind_of(cls), "core.training")
        self.use(package, cls.__name__)
        knobs = [(k.name, getattr(value, k.name)) for k in knobs_of(cls) if getattr(value, k.name) != k.default]
        return f"{cls.__name__}({', '.join(f'{name}={self.code(inner)}' for name, inner in knobs)})"

    def data(self, recipe: Recipe) -> str:
        """The recipe's data as `load_data` takes them."""
        self.use("core.data", "load_data")
        return self.code(recipe.data)

    def add(self, recipe: Recipe, name: str) -> None:
        """The lines of one recipe; `name` is the variable of the model it is applied to."""
        if isinstance(recipe.model, Recipe):
            self.add(recipe.model, name)
            self.lines += [""] if recipe.kind == "ranking" else [f"{name} = repaired", ""]
        elif recipe.kind != "training":
            self.use("models", "load")
            self.lines.append(f"{name} = load({self.code(recipe.model)})")
        {
            "defense": self.defense, "attack": self.attack, "trigger": self.trigger, "training": self.training,
            "explainer": self.explainer, "detector": self.detector, "ranking": self.ranking,
            "injection": self.injection, "reactivation": self.reactivation,
        }[recipe.kind](recipe)  # fmt: skip

    def defense(self, recipe: Recipe) -> None:
        """Repair, and scores before and after."""
        self.use("core.runs", "finish")
        self.use("core.metrics", "evaluate")
        data, size = self.data(recipe), "size=model.input_size[-1]"
        self.lines += [
            f'clean = load_data({data}, "defender", {size})',
            f'test = load_data({data}, "test", limit={recipe.inputs.get("n", settings.control_n)}, {size})',
            self.door(recipe),
            f"method = {self.code(recipe.method)}",
        ]
        peek = ""
        if getattr(recipe.method, "selection", "") == "oracle":
            self.lines.append(f"peek = lambda now: evaluate(now, test[:{settings.live_n}], **attack).asr")
            peek = ", oracle=peek"
        self.lines += [
            f"repaired = finish(method.run(model, clean, seed={recipe.seed}{peek}), bar=True)",
            'print("before", evaluate(model, test, **attack))',
            'print("after", evaluate(repaired, test, **attack))',
        ]

    def detector(self, recipe: Recipe) -> None:
        """The suspects, what the detector says, and its ROC curve, which is computed outside of it."""
        self.use("core", "suspects")
        self.use("core.roc", "roc")
        self.use("core.runs", "finish")
        self.use("core.triggers", "BadNets")
        data, size, given = self.data(recipe), "size=model.input_size[-1]", recipe.inputs
        method: Any = recipe.method
        self.lines += [
            self.door(recipe),
            'attack |= {"trigger": attack["trigger"] or BadNets(), "target": attack["target"] or 0}',
            f'clean = load_data({data}, "defender", {size})',
        ]
        if method.suspects == "inputs":
            self.lines += [
                f'test = load_data({data}, "test", limit={given.get("n", INPUTS)}, {size})',
                f"images, truth = suspects.inputs(test, **attack, seed={recipe.seed})",
            ]
        else:
            self.use("core.triggers", "Poison")
            rate = given.get("rate", 'own.get("rate", 0.1)')
            self.lines += [
                'own = model.card.recipe.get("method", {}).get("poison") or {}  # how its training was poisoned',
                f'poison = Poison(**attack, rate={rate}, clean_label=own.get("clean_label", False))',
                f'train = load_data({data}, "train", limit={given.get("n", TRAINING)}, {size})',
                f"images, truth = suspects.training(train, poison, seed={recipe.seed})",
            ]
        self.lines += [
            f"method = {self.code(recipe.method)}",
            f"found = finish(method.run(model, images, clean=clean, seed={recipe.seed}), bar=True)",
            "curve = roc(found.scores, truth)",
            'print("AUROC", curve.auroc, "TPR at 5 % FPR", curve.tpr_at(0.05))',
        ]

    def ranking(self, recipe: Recipe) -> None:
        """The oracle ranking of the model's channels, and how far a defense's own agrees with it."""
        self.use("core.runs", "finish")
        self.use("core.neurons", "REPORTED", "overlap", "pairs", "suspicion")
        report = "repaired.report" if isinstance(recipe.model, Recipe) else "{}"
        self.lines += [
            self.door(recipe),
            f'test = load_data({self.data(recipe)}, "test", limit={recipe.inputs.get("n", settings.control_n)}, '
            "size=model.input_size[-1])",
            f"method = {self.code(recipe.method)}",
            "tac = finish(method.run(model, *pairs(test, **attack)), bar=True)",
            f"found = {{kind: suspicion({report}, kind) for kind in REPORTED}}",
            "print({kind: overlap(scores, tac, [0.01, 0.05, 0.1]) for kind, scores in found.items() if scores})",
        ]

    def injection(self, recipe: Recipe) -> None:
        """Write the backdoor, and scores before and after."""
        self.use("core.runs", "finish")
        self.use("core.metrics", "evaluate")
        data, size = self.data(recipe), "size=model.input_size[-1]"
        self.lines += [
            f'clean = load_data({data}, "defender", {size})',
            f'test = load_data({data}, "test", limit={recipe.inputs.get("n", settings.control_n)}, {size})',
            self.backdoor(recipe),
            f"method = {self.code(recipe.method)}",
            f"repaired = finish(method.run(model, clean, **attack, seed={recipe.seed}), bar=True)",
            'print("before", evaluate(model, test, **attack))',
            'print("after", evaluate(repaired, test, **attack))',
        ]

    def reactivation(self, recipe: Recipe) -> None:
        """Wake the backdoor of the model at hand, at the method's own budget, with all controls."""
        self.use("core.runs", "finish")
        data, size = self.data(recipe), "size=model.input_size[-1]"
        given = ["test=test", "**attack", f"seed={recipe.seed}"]
        self.lines += [
            f'fit = load_data({data}, "train", limit={FIT}, {size})',
            f'test = load_data({data}, "test", limit={recipe.inputs.get("n", SCORED)}, {size})',
            self.backdoor(recipe),
        ]
        if isinstance(recipe.data, str):
            self.use("models", "available", "load")
            twin = f"zoo:{recipe.data}-clean"
            self.lines.append(f'twin = load("{twin}") if "{twin}" in [card.ref for card in available()] else None')
            given.append("clean_model=twin")
        if getattr(recipe.method, "threat", "") == "transfer":
            self.lines.append("surrogates = []  # put other repaired copies of the backdoored model here")
            given.append("surrogates=surrogates")
        self.lines += [
            f"method = {self.code(recipe.method)}",
            f"found = finish(method.run(model, fit, {', '.join(given)}), bar=True)",
            "print(found.asr)",
        ]

    def backdoor(self, recipe: Recipe) -> str:
        """Trigger and target as one dictionary: the recipe's, else the model's, else BadNets to class 0."""
        given = recipe.inputs
        if "trigger" in given:
            trigger = self.brought(recipe)
        else:
            self.use("core.triggers", "BadNets")
            trigger = "model.trigger or BadNets()"
        target = repr(given["target"]) if "target" in given else "model.target or 0"
        return f'attack = {{"trigger": {trigger}, "target": {target}}}'

    def brought(self, recipe: Recipe) -> str:
        """The trigger of the inputs; one that learns takes what the model's own has learned, or is fitted first."""
        trigger, target = methods.from_dict(recipe.inputs["trigger"]), recipe.inputs.get("target", "model.target or 0")
        if not isinstance(trigger, LearnedTrigger):
            return self.code(trigger)
        self.lines.append(f"trigger = {self.code(trigger)}.taught_by(model.trigger)")
        if isinstance(trigger, FittedTrigger):
            if (ref := fitting.teacher(trigger, recipe.data)) is not None:
                self.lines.append(f"trigger = trigger.taught_by(load({self.code(ref)}).trigger)")
            self.use("core.runs", "finish")
            limit = max(fitting.FEWEST, getattr(trigger, "pictures", 0))
            self.lines += [
                "if not trigger.state:",
                f'    train = load_data({self.data(recipe)}, "train", limit={limit}, size=model.input_size[-1])',
                f"    trigger = finish(trigger.fit(model, train, target={target}, seed={recipe.seed}), bar=True)",
            ]
        return "trigger"

    def door(self, recipe: Recipe) -> str:
        """Trigger, target and mode as one dictionary."""
        given = recipe.inputs
        trigger = self.brought(recipe) if "trigger" in given else "model.trigger"
        target = repr(given["target"]) if "target" in given else "model.target"
        mode = self.code(given["mode"]) if "mode" in given else 'model.mode or "all-to-one"'
        return f'attack = {{"trigger": {trigger}, "target": {target}, "mode": {mode}}}'

    def trigger(self, recipe: Recipe) -> None:
        """Scores of the trigger."""
        self.use("core.metrics", "evaluate")
        inputs = recipe.inputs | {"trigger": methods.to_dict(recipe.method)}
        self.lines += [
            self.door(recipe.replace(inputs=inputs)),
            f'test = load_data({self.data(recipe)}, "test", limit={inputs.get("n", settings.control_n)}, '
            "size=model.input_size[-1])",
            "print(evaluate(model, test, **attack))",
        ]

    def pictures(self, recipe: Recipe) -> None:
        """The batch, as `images` and `labels`."""
        asked = recipe.inputs.get("images")
        if isinstance(asked, str):
            self.lines.append("# The uploaded picture is not in this script: put your own file in its place.")
            self.use("core.data.upload", "decode")
            self.lines += ['picture = decode(open("picture.png", "rb").read())', "images = picture[None].float() / 255"]
            self.lines.append("labels = model(images).argmax(1)")
            return
        index = asked or list(range(recipe.inputs.get("n", FEW)))
        chosen = f"[{index}]" if asked else ""
        self.lines += [
            f'data = load_data({self.data(recipe)}, "test", limit={max(index) + 1}, size=model.input_size[-1]){chosen}',
            "images, labels = data.pixels, data.labels",
        ]
        if not str(recipe.model).startswith("zoo:"):
            self.lines += [
                "if len(data.class_names) != len(model.class_names):  # it does not know these: its own answers count",
                "    labels = model(images).argmax(1)",
            ]

    def attack(self, recipe: Recipe) -> None:
        """Attack the batch and print how it went."""
        self.use("core.runs", "finish")
        self.pictures(recipe)
        given = [f"seed={recipe.seed}"]
        if "target" in recipe.inputs:
            given.append(f"target={recipe.inputs['target']}")
        if "judge" in recipe.inputs:
            self.use("models", "load")
            given.append(f"judge=load({self.code(recipe.inputs['judge'])})")
        if "mask" in recipe.inputs:
            self.use("lab.inputs", "mask_of")
            given.append(f"mask=mask_of({self.code(recipe.inputs['mask'])}, *images.shape[2:])")
        self.lines += [
            f"method = {self.code(recipe.method)}",
            f"found = finish(method.run(model, images, labels, {', '.join(given)}), bar=True)",
            'print("success", found.success.float().mean().item())',
            "print({name: values.mean().item() for name, values in found.norms.items()})",
        ]

    def explainer(self, recipe: Recipe) -> None:
        """The raw maps of the batch."""
        self.pictures(recipe)
        target = recipe.inputs.get("target")
        self.lines += [
            "targets = model(images).argmax(1)" + ("" if target is None else f".fill_({target})"),
            f"maps = {self.code(recipe.method)}(model, images, targets)",
            "print(maps.shape)",
        ]

    def training(self, recipe: Recipe) -> None:
        """Train the network from its first weights, or a given model further."""
        self.use("core.runs", "finish")
        self.use("core.metrics", "evaluate")
        data = self.data(recipe)
        self.lines.append(f'train = load_data({data}, "train")')
        if str(recipe.model).startswith("arch:"):
            self.use("lab.loading", "fresh")
            name = self.code(str(recipe.data))
            self.lines.append(f"model = fresh({self.code(recipe.model)}, train, {name}, seed={recipe.seed})")
        else:
            self.use("models", "load")
            self.lines.append(f"model = load({self.code(recipe.model)})")
        self.fit_poison(recipe)
        self.lines += [
            f"method = {self.code(recipe.method)}",
            f"repaired = finish(method.run(model, train, seed={recipe.seed}), bar=True)",
            f'test = load_data({data}, "test")',
            "print(evaluate(repaired, test, trigger=repaired.trigger, target=repaired.target, "
            'mode=repaired.mode or "all-to-one"))',
        ]

    def fit_poison(self, recipe: Recipe) -> None:
        """A trigger that is fitted before the training, in the variable `trigger`."""
        poison = getattr(recipe.method, "poison", None)
        trigger = getattr(poison, "trigger", None)
        if not isinstance(trigger, FittedTrigger):
            return
        clean, made = f"zoo:{recipe.data}-clean", self.code(trigger)
        shipped = any(card.ref == clean for card in available())
        if shipped:
            self.use("models", "load")
        fitted_to = f"load({self.code(clean)})" if shipped else "model"
        target = getattr(poison, "target", 0)
        fit = f"{made}.fit({fitted_to}, train, target={target}, seed={recipe.seed})"
        self.lines.append(f"trigger = finish({fit}, bar=True)")
        self.named[id(trigger)] = "trigger"
