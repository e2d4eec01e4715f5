"""The model that a run leaves: its card, and the folder that `models.load` reads."""

from __future__ import annotations

import copy
import dataclasses
import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import models
from lab import run_names
from lab.kinds.shared.scoring import card_scores
from lab.own_models import own_models
from lab.results import Result
from models import Card, Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

MADE = "made in this lab"
STOPPED = "Then {} was run on it, and stopped before its end."


def save(result: Result, folder: Path) -> Path:
    """Save the model of a finished run with its scores and, beside it, the recipe that made it."""
    model: Any = result.model
    card = card_of(result)
    block = {"data": card.data, "training": card.recipe, "scores": card.scores, "done": card.done}
    licence = "apache-2.0" if card.licence == "unknown" else card.licence
    return models.save(model, folder, perturb=block | {"licence": licence})


def zipped(result: Result, name: str) -> bytes:
    """That folder, called `name`, as a zip file."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(save(result, Path(place) / name).iterdir()):
            archive.write(file, f"{name}/{file.name}")
    return out.getvalue()


def called(recipe: Recipe) -> str:
    """A short name for the model that a run leaves: "TSBD on scenes-badnets", "Blended into resnet20, stopped"."""
    if "moments" in recipe.inputs:
        whole = {name: value for name, value in recipe.inputs.items() if name != "moments"}
        return f"{called(recipe.replace(inputs=whole))}, stopped"
    poison: Any = getattr(recipe.method, "poison", None)
    by = f"{type(poison.trigger).__name__} into" if poison is not None else f"{type(recipe.method).__name__} on"
    if isinstance(recipe.model, str):
        return f"{by} {re.split('[@?]', recipe.model)[0].split('/')[-1].split(':')[-1]}"
    return f"{by} {called(recipe.model)}"


def card_of(result: Result) -> Card:
    """The card of a run's model: by which run it was made, and its scores after it."""
    model: Any = result.model
    card, recipe = model.card, result.recipe
    return dataclasses.replace(
        card,
        ref=run_names.encode(recipe.to_dict(), seconds_of(result)),
        origin=MADE,
        sha=recipe.key(),
        data=card.data or str(recipe.data),
        done=f"{card.done} {STOPPED.format(type(recipe.method).__name__)}".strip() if result.stopped else card.done,
        scores=_scores(result),
        recipe=recipe.to_dict(),
        backdoored=model.trigger is not None,
    )


def _scores(result: Result) -> dict[str, dict[str, float]]:
    """The scores after the run; none of one that was stopped, which are those of a moment before its end."""
    if result.stopped:
        return {}
    card: Card = result.model.card  # type: ignore[union-attr, assignment]
    return card.scores if card.recipe == result.recipe.to_dict() else {"test": card_scores(result, "after")}


def ref_of(recipe: Recipe) -> str:
    """The name of the model that a run leaves, with the seconds it took where the model is held, else 0."""
    held = own_models.find(recipe.to_json())
    return run_names.encode(recipe.to_dict(), 0.0) if held is None else held.card.ref


def seconds_of(result: Result) -> float:
    """How long the run took, and the runs of its chain before it, as far as that is known."""
    inner = result.recipe.model
    before = None if isinstance(inner, str) else own_models.find(inner.to_json())
    return result.seconds + (0.0 if before is None else run_names.decode(before.card.ref)[1])


def owned(result: Result) -> Classifier:
    """The model of a finished run under a card of its own; the weights are shared."""
    own: Any = copy.copy(result.model)
    own.card = card_of(result)
    return own
