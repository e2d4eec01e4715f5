"""Who learns in a training, and from which pictures: a fresh network, or a given model that is trained further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.data import ImageSet
from core.runs import Progress, Run
from lab import loading
from lab.kinds.shared import fitting
from lab.kinds.shared.script import SIZE, Script
from lab.kinds.shared.setting import model_of, require_classes, size_of
from models import Classifier
from models.store import halved

if TYPE_CHECKING:
    from lab.recipes import Recipe


def learner(recipe: Recipe, pictures: int | None) -> Run[tuple[Classifier, ImageSet]]:
    """The network of a recipe, `arch:…` or a model, and the first `pictures` training pictures of its data."""
    if fitting.is_fresh(recipe):
        yield Progress("load", 1, 2)
        train = loading.images(recipe.data, "train", limit=pictures)
        start = loading.fresh(str(recipe.model), train, str(recipe.data), recipe.seed)
        yield Progress("load", 2, 2)
        return start, train
    start = yield from model_of(recipe)
    train = loading.images(recipe.data, "train", limit=pictures, size=size_of(start))
    require_classes(recipe, start, train)
    return start, train


def as_stored(model: Classifier) -> None:
    """Round the weights as `models.save` will, so that the scores are those of the model that is kept."""
    model.net.load_state_dict(halved(model.net.state_dict()))


def learner_lines(script: Script, recipe: Recipe, pictures: int | None) -> str:
    """The lines that load both, `model` and `train`; the argument by which further data come in the model's size."""
    data, fresh = script.data(recipe), fitting.is_fresh(recipe)
    size = "" if fresh else f", {SIZE}"
    if not fresh and isinstance(recipe.model, str):
        script.lines.append(f"model = {script.load(recipe.model)}")
    script.lines.append(f'train = load_data({data}, "train"{limit(pictures)}{size})')
    if fresh:
        script.use("models", "fresh")
        named = f"train.class_names, train.images.shape[1:], {script.code(str(recipe.data))}, seed={recipe.seed}"
        script.lines.append(f"model = fresh({script.code(recipe.model)}, {named})")
    return size


def limit(n: int | None) -> str:
    """The argument of `load_data` for the first n pictures."""
    return "" if n is None else f", limit={n}"


def data_of(start: Classifier, recipe: Recipe) -> str:
    """The data that a card says the model was trained on: the recipe's, or the start's where those have no name."""
    return recipe.data if isinstance(recipe.data, str) else start.card.data or str(recipe.data)


def trained_by(start: Classifier, model: Classifier, recipe: Recipe) -> str:
    """What a card says was done: by which method, on which data, from first weights or from which model."""
    by = type(recipe.method).__name__
    if fitting.is_fresh(recipe):
        return f"{str(recipe.model).removeprefix('arch:')}, trained by {by} on {model.card.data}."
    return f"{start.card.done} {start.card.ref} was trained further by {by} on {recipe.data}.".strip()
