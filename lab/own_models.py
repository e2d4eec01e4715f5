"""The models that visitors have made: what the runs of a visit left, until the visit ends.

A model is known by the JSON text of its recipe. Each visitor holds a few and all together a few more; what no longer
fits goes, the least recently used first, and can be had again by running its recipe.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from lab.settings import settings
from models import Classifier


class OwnModels:
    """Models by recipe, and who holds which. All methods may be called from any thread."""

    def __init__(self, per_visitor: int, in_all: int):
        self.per_visitor, self.in_all = per_visitor, in_all
        self._held: OrderedDict[str, Classifier] = OrderedDict()
        self._holders: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def keep(self, visitor: str, recipe: str, model: Classifier) -> None:
        """Keep the model of a recipe's run for a visitor, whose oldest one goes where there are too many."""
        with self._lock:
            own = self._holders.setdefault(visitor, [])
            if recipe in own:
                own.remove(recipe)
            own.append(recipe)
            self._held[recipe] = model
            self._held.move_to_end(recipe)
            for old in own[: -self.per_visitor]:
                self._drop(visitor, old)
            while len(self._held) > self.in_all:
                self._held.popitem(last=False)

    def find(self, recipe: str) -> Classifier | None:
        """The model that the run of this recipe left, where it is still held."""
        with self._lock:
            found = self._held.get(recipe)
            if found is not None:
                self._held.move_to_end(recipe)
            return found

    def of(self, visitor: str) -> list[str]:
        """The recipes of a visitor's models that are still held, the newest first."""
        with self._lock:
            return [recipe for recipe in reversed(self._holders.get(visitor, [])) if recipe in self._held]

    def leave(self, visitor: str) -> None:
        """The visit has ended: what nobody else holds is given back."""
        with self._lock:
            for recipe in list(self._holders.get(visitor, [])):
                self._drop(visitor, recipe)
            self._holders.pop(visitor, None)

    def _drop(self, visitor: str, recipe: str) -> None:
        own = self._holders.get(visitor, [])
        if recipe in own:
            own.remove(recipe)
        if not any(recipe in others for others in self._holders.values()):
            self._held.pop(recipe, None)

    def __len__(self) -> int:
        return len(self._held)


own_models = OwnModels(settings.own_models, settings.own_models_in_all)
"""The process's models of visitors."""
