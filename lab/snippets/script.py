"""The script that a snippet is written into: imports, lines, and values as Python source."""

from __future__ import annotations

import json

from core.knobs import Method, knobs_of
from lab import methods
from lab.recipes import Recipe

PACKAGES = {
    "trigger": "core.triggers", "attack": "core.attacks", "injection": "core.attacks", "reactivation": "core.attacks",
    "defense": "core.defenses", "training": "core.training",
    "explainer": "core.explain", "detector": "core.defenses", "ranking": "core.metrics", "data": "core.data",
}  # fmt: skip

SIZE = "size=model.input_size[-1]"
"""The argument by which data come in the size of the model's input."""


class Script:
    """Imports and lines, collected while the recipe is walked from its first link to its last.

    kept : the link of the chain whose model, as it was before that link, the script keeps as `backdoored`
    """

    def __init__(self, kept: Recipe | None = None) -> None:
        self.kept = kept
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
