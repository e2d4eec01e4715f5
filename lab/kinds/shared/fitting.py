"""Triggers that are fitted before they can be stamped: where a fitted one is found, and on what it is fitted."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, TypeGuard

from core.data import ImageSet
from core.knobs import Method
from core.runs import Run
from core.triggers import TRIGGERS, Poison
from core.triggers.shared.offline import OfflineTrigger
from core.triggers.shared.trigger import LearnedTrigger, Trigger
from lab import loading, methods
from lab.lru_cache import LRUCache
from lab.settings import settings
from models import Classifier, shipped

if TYPE_CHECKING:
    from lab.recipes import Recipe

FEWEST = 1000
"""Pictures a trigger is given to be fitted on, where it does not ask for more."""

fits: LRUCache[OfflineTrigger] = LRUCache(settings.result_entries, settings.result_seconds)
"""The process's fitted triggers, so that a page can stamp at once what a run has fitted."""


def known(trigger: Method | None, recipe: Recipe, model: Classifier) -> Method | None:
    """`trigger` with what was learned, where the model, an earlier run or a shipped model knows it; else itself."""
    if isinstance(trigger, LearnedTrigger) and model.trigger is not None:
        trigger = trigger.taught_by(model.trigger)
    if not unfitted(trigger):
        return trigger
    for own in (fits.get(_key(trigger, recipe, model)), _shipped(trigger, recipe)):
        trigger = trigger if own is None else trigger.taught_by(own)
    return trigger


def unfitted(trigger: object) -> TypeGuard[OfflineTrigger]:
    """Whether a trigger must be fitted before it can be stamped."""
    return isinstance(trigger, OfflineTrigger) and not trigger.state


def pictures_for(trigger: OfflineTrigger) -> int:
    """How many pictures a trigger is fitted on."""
    return max(FEWEST, getattr(trigger, "pictures", 0))


def waits(recipe: Recipe, model: Classifier) -> bool:
    """Whether the recipe's trigger cannot be stamped before a run has fitted it."""
    trigger = known(brought(recipe), recipe, model)
    return unfitted(trigger)


def fit(recipe: Recipe, model: Classifier) -> Run[None]:
    """Fit the trigger that the recipe brings along to the recipe's model, unless it is known."""
    trigger = known(brought(recipe), recipe, model)
    if not unfitted(trigger):
        return
    limit = pictures_for(trigger)
    train = loading.images(recipe.data, "train", limit=limit, size=model.input_size[-1])
    fitted = yield from trigger.fit(model, train, target=_target(recipe, model), seed=recipe.seed)
    fits.put(_key(trigger, recipe, model), fitted)


def brought(recipe: Recipe) -> Method | None:
    """The trigger of a recipe, its method or its input; None where it goes by the model's own."""
    if type(recipe.method) in TRIGGERS:
        return recipe.method
    return methods.from_dict(recipe.inputs["trigger"]) if "trigger" in recipe.inputs else None


def is_fresh(recipe: Recipe) -> bool:
    """Whether a training starts from first weights."""
    return isinstance(recipe.model, str) and recipe.model.startswith("arch:")


def fitted_method(recipe: Recipe, start: Classifier, train: ImageSet) -> Run[Method]:
    """The recipe's training, with the trigger it poisons with fitted first.

    Fitted to the clean model of the data, else to the model the training goes on from; a fresh network has nothing to
    be fitted to. Raises ValueError in one sentence where there is none of them.
    """
    method: Any = recipe.method
    poison = getattr(method, "poison", None)
    if not isinstance(poison, Poison) or not unfitted(poison.trigger):
        return method
    trigger = poison.trigger
    clean = loading.clean_twin(start) or (start if not is_fresh(recipe) or not trigger.asks_model else None)
    if clean is None:
        raise ValueError(
            f"{type(trigger).__name__} is fitted to a trained network first, and no clean model of {start.card.data} "
            "ships with the lab; give the recipe a trained model to go on from."
        )
    trigger = yield from trigger.fit(clean, train, target=poison.target, seed=recipe.seed)
    return dataclasses.replace(method, poison=dataclasses.replace(poison, trigger=trigger))


def _target(recipe: Recipe, model: Classifier) -> int:
    target = recipe.inputs.get("target", model.target)
    return 0 if target is None else int(target)


def teacher(trigger: OfflineTrigger, data: object) -> str | None:
    """The shipped model of these data whose trigger may teach one that asks no model, such as zoo:scenes-ssba."""
    ref = f"zoo:{data}-{type(trigger).__name__.lower()}"
    return ref if not trigger.asks_model and shipped(ref) else None


def _shipped(trigger: OfflineTrigger, recipe: Recipe) -> Trigger | None:
    ref = teacher(trigger, recipe.data)
    return None if ref is None else loading.classifier(ref).trigger


def _key(trigger: OfflineTrigger, recipe: Recipe, model: Classifier) -> str:
    """What a fit depends on: the trigger without its dials, the data, the seed, and the model and the target."""
    knobs = {name: value for name, value in methods.to_dict(trigger).items() if name not in trigger.dials}
    parts = [knobs, recipe.to_dict()["data"], recipe.seed, model.input_size]
    if trigger.asks_model:
        parts += [recipe.to_dict()["model"], _target(recipe, model)]
    return json.dumps(parts, sort_keys=True)
