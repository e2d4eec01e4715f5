"""The kinds of experiments, one per file: each file of this folder that holds a `KIND` is one.

They are found by looking into the folder, so that a new kind is a new file and a change to no other.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

from core.knobs import Method

if TYPE_CHECKING:
    from lab.kinds.kind import Kind


@functools.cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name, in alphabetical order."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    found = [module.KIND for module in modules if hasattr(module, "KIND")]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}


def kind_of(method: Method | type[Method]) -> Kind:
    """The kind that runs a method; ValueError where none does."""
    cls = method if isinstance(method, type) else type(method)
    for kind in kinds().values():
        if cls in kind.methods:
            return kind
    raise ValueError(f"{cls.__name__} is not a registered method that can be run by itself; see `perturb list`.")
