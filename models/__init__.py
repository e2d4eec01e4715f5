"""Networks: architectures (registered with timm), the ones shipped here, and the loader of all others.

`import models` is cheap: torch and timm come with the first use of a name that needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from models.card import Card, ModelError
from models.register import register_when_timm_comes
from models.shelf import available, shipped

if TYPE_CHECKING:
    from models.build import create
    from models.classifier import Classifier
    from models.hub import load
    from models.hub_search import search_hub
    from models.store import save
    from models.untrained import fresh

__all__ = ["Card", "Classifier", "ModelError", "available", "create", "fresh", "load", "save", "search_hub", "shipped"]

_HOME = {
    "Classifier": "models.classifier", "create": "models.build", "fresh": "models.untrained", "load": "models.hub",
    "save": "models.store", "search_hub": "models.hub_search",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


register_when_timm_comes()
