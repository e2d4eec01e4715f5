"""What every experiment needs before it starts: its model, its pictures, its trigger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.data import ImageSet
from core.data.modes import ALL_TO_ONE, single_target, stamped, trigger_per_class
from core.knobs import Method
from core.runs import Progress, Run
from core.triggers import BadNets, Poison
from lab import loading, methods
from lab.fit import names_fit
from lab.kinds.shared import fitting
from lab.own_models import own_models
from lab.results import kept
from lab.settings import settings
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe


@dataclass(frozen=True)
class Backdoor:
    """The trigger a model is scored with; `trigger` is None on a clean model that was given none."""

    trigger: Callable[..., Tensor] | None = None
    target: int | None = None
    mode: str = ALL_TO_ONE

    @property
    def arguments(self) -> dict:
        """As `core.metrics.evaluate` takes them."""
        return {"trigger": self.trigger, "target": self.target, "mode": self.mode}


def method_of(recipe: Recipe) -> Any:
    """The recipe's method; mypy knows no knob of it."""
    return recipe.method


def model_of(recipe: Recipe) -> Run[Classifier]:
    """The recipe's model, shared and frozen: loaded, or the result of the recipe it stands for.

    A trigger that the recipe brings along and that must be fitted first is fitted to it; `backdoor_of` then finds it.
    """
    yield Progress("load", 1, 2)
    if isinstance(recipe.model, str):
        model = loading.classifier(recipe.model)
    else:
        model = yield from _result_of(recipe.model)
    yield Progress("load", 2, 2)
    yield from fitting.fit(recipe, model)
    return model


def _result_of(recipe: Recipe) -> Run[Classifier]:
    if not recipe.kind.leaves_model:
        raise ValueError(f"{type(recipe.method).__name__} leaves no model, so nothing can be run on its result.")
    own = own_models.find(recipe.to_json())
    if own is not None:
        return own
    key = recipe.key()
    result = kept.get(key)
    if result is None:
        result = yield from recipe.run()
        kept.put(key, result)
    assert isinstance(result.model, Classifier)
    return result.model


def planned(poison: Method | None) -> Backdoor:
    """What training with `poison` is to leave, as far as it is known before: a trigger that is to be learned is not."""
    if not isinstance(poison, Poison) or not poison.trigger.stampable:
        return Backdoor()
    return Backdoor(poison.trigger, poison.aim, poison.mode)


def backdoor_of(recipe: Recipe, model: Classifier) -> Backdoor:
    """Trigger, target and mode: those that the recipe brings along or poisons with, else the model's own."""
    if isinstance(poison := getattr(recipe.method, "poison", None), Poison):
        return planned(poison)
    inputs = recipe.inputs
    trigger: Any = fitting.known(fitting.brought(recipe) or model.trigger, recipe, model)
    mode = inputs.get("mode") or model.mode or ALL_TO_ONE
    target = inputs.get("target", model.target)
    if trigger is not None and single_target(mode):
        target = 0 if target is None else target
        require_target(target, model)
    return Backdoor(trigger, target, mode)


def require_target(target: int, model: Classifier) -> None:
    """Raise ValueError unless `target` is a class of the model."""
    classes = len(model.class_names)
    if target >= classes:
        raise ValueError(f"target = {target} is not a class of this model, which has {classes}, counted from 0.")


def backdoor_to_try(recipe: Recipe, model: Classifier) -> Backdoor:
    """As `backdoor_of`, or BadNets towards class 0 where neither recipe nor model has one."""
    if model.trigger is None and "trigger" not in recipe.inputs:
        recipe = recipe.replace(inputs=recipe.inputs | {"trigger": methods.to_dict(BadNets())})
    return backdoor_of(recipe, model)


def triggered(data: ImageSet, backdoor: Backdoor) -> Tensor:
    """`data`'s images with the trigger, each stamped for the label the mode asks for, float (N, C, H, W)."""
    assert backdoor.trigger is not None
    if trigger_per_class(backdoor.mode):
        return stamped(backdoor.trigger, data, torch.full_like(data.labels, backdoor.target or 0))
    return stamped(backdoor.trigger, data)


def size_of(model: Classifier) -> int:
    """Width of the pictures that the model takes."""
    return model.input_size[-1]


def classes_fit(model: Classifier, data: ImageSet) -> bool:
    """Whether the model knows the classes of the data."""
    return names_fit(model.class_names, data.class_names)


def require_classes(recipe: Recipe, model: Classifier, data: ImageSet) -> None:
    """Raise ValueError unless the model knows the classes of the data."""
    if not classes_fit(model, data):
        raise ValueError(
            f"{model.card.ref} knows {len(model.class_names)} classes ({model.class_names[0]}, ...) and {recipe.data} "
            f"has {len(data.class_names)} ({data.class_names[0]}, ...); choose data that the model was trained for."
        )


def clean_model(model: Classifier, data: ImageSet) -> Classifier | None:
    """The clean model that stands beside `model`; None where there is none, or it knows other classes than the data."""
    twin = loading.clean_twin(model)
    return twin if twin is not None and classes_fit(twin, data) else None


def test_images(recipe: Recipe, model: Classifier) -> ImageSet:
    """The first n test images, in the model's size, with classes that fit."""
    n = recipe.inputs.get("n", settings.control_n)
    test = loading.images(recipe.data, "test", limit=n, size=size_of(model))
    require_classes(recipe, model, test)
    return test
