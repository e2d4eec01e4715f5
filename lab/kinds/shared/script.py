"""'As Python': a script that reproduces a recipe with `core` and `models` alone, written link by link of its chain."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.knobs import Method, knobs_of

if TYPE_CHECKING:
    from lab.recipes import Recipe

SIZE = "size=model.input_size[-1]"
"""The argument by which data come in the size of the model's input."""


class Script:
    """Imports and lines, collected while a recipe is walked from its first link to its last.

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

    def code(self, value: object) -> str:
        """A value as Python source; of a method, the knobs that differ from their defaults."""
        if id(value) in self.named:
            return self.named[id(value)]
        if not isinstance(value, Method):
            return json.dumps(value) if isinstance(value, str) else repr(value)
        cls = type(value)
        self.use(public_module(cls), cls.__name__)
        knobs = [(k.name, getattr(value, k.name)) for k in knobs_of(cls) if getattr(value, k.name) != k.default]
        return f"{cls.__name__}({', '.join(f'{name}={self.code(inner)}' for name, inner in knobs)})"

    def load(self, ref: object) -> str:
        """The call that loads a model."""
        self.use("models", "load")
        return f"load({self.code(ref)})"

    def data(self, recipe: Recipe) -> str:
        """The recipe's data as `load_data` takes them."""
        self.use("core.data", "load_data")
        return self.code(recipe.data)


def public_module(cls: type) -> str:
    """The outermost package that offers a class: "core.defenses" for one defined in a file inside it."""
    parts = cls.__module__.split(".")
    outer = [".".join(parts[:depth]) for depth in range(2, len(parts))]
    offering = (name for name in outer if getattr(importlib.import_module(name), cls.__name__, None) is cls)
    return next(offering, cls.__module__)


@dataclass(frozen=True)
class Snippet:
    """A kind's part of a script, and the whole script of a recipe of that kind.

    lines : adds the lines of one recipe; they find its model in the variable `model`
    loads_model : whether the model, where it is no result of another recipe, is loaded before those lines
    takes_result : whether the result of the recipe before, `repaired`, becomes `model`
    keeps : the link of a chain whose model the script keeps as `backdoored`, see `Script`
    """

    lines: Callable[[Script, Recipe], None]
    loads_model: bool = True
    takes_result: bool = True
    keeps: Callable[[Recipe], Recipe | None] = lambda recipe: None

    def __call__(self, recipe: Recipe) -> str:
        script = Script(self.keeps(recipe))
        self.add(script, recipe)
        return script.text()

    def add(self, script: Script, recipe: Recipe) -> None:
        """The lines of `recipe`, after those of the recipe whose result is its model."""
        if not isinstance(recipe.model, str):
            before = recipe.model.kind.python
            assert isinstance(before, Snippet)
            before.add(script, recipe.model)
            script.lines += ["model = repaired", ""] if self.takes_result else [""]
        elif self.loads_model:
            script.lines.append(f"model = {script.load(recipe.model)}")
        if recipe is script.kept:
            script.lines.append("backdoored = model")
        self.lines(script, recipe)
