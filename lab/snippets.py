"""'As Python': the lines that reproduce a recipe with `core` and `models` alone."""

from __future__ import annotations

import json

from core.knobs import Method, knobs_of
from lab import methods
from lab.experiments.pictures import FEW
from lab.recipes import Recipe
from lab.settings import settings

PACKAGES = {
    "trigger": "core.triggers", "attack": "core.attacks", "defense": "core.defenses", "training": "core.training",
    "explainer": "core.explain", "data": "core.data",
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

    def text(self) -> str:
        """The script."""
        heads = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(self.imports.items())]
        return "\n".join([*heads, "", *self.lines]) + "\n"

    def use(self, module: str, *names: str) -> None:
        """Import `names` of `module`."""
        self.imports.setdefault(module, set()).update(names)

    def code(self, value: Method | str | object) -> str:
        """A value as Python source; of a method, the knobs that differ from their defaults."""
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
            self.lines += [f"{name} = repaired", ""]
        elif recipe.kind != "training":
            self.use("models", "load")
            self.lines.append(f"{name} = load({self.code(recipe.model)})")
        {
            "defense": self.defense, "attack": self.attack, "trigger": self.trigger, "training": self.training,
            "explainer": self.explainer,
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

    def door(self, recipe: Recipe) -> str:
        """Trigger, target and mode as one dictionary."""
        given = recipe.inputs
        trigger = self.code(methods.from_dict(given["trigger"])) if "trigger" in given else "model.trigger"
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
        self.lines += [
            f"method = {self.code(recipe.method)}",
            f"repaired = finish(method.run(model, train, seed={recipe.seed}), bar=True)",
            f'test = load_data({data}, "test")',
            "print(evaluate(repaired, test, trigger=repaired.trigger, target=repaired.target, "
            'mode=repaired.mode or "all-to-one"))',
        ]
