"""Whether a model knows the classes of a data set: from names alone, before weights or pictures are downloaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import models
from core.data import Scenes
from core.data.about import About, about
from core.data.scenes import generated
from lab.running.compute_lock import compute_lock
from models.peek import plan_of

if TYPE_CHECKING:
    from lab.recipes import Recipe


def names_fit(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether a model's classes are those of the data, by their names and their number.

    "tench" fits "tench, Tinca tinca"; a name such as "class 7" says nothing and fits everything. Data with fewer
    classes fit (100 pictures of ImageNet hold no picture of the last class) where the names say so.
    """
    if len(theirs) > len(ours):
        return False
    named = [(a.lower(), b.lower()) for a, b in zip(ours, theirs, strict=False) if not (_blank(a) or _blank(b))]
    alike = sum(a in b or b in a for a, b in named)
    return 2 * alike >= len(named) if len(ours) == len(theirs) else bool(named) and 2 * alike >= len(named)


def _blank(name: str) -> bool:
    return re.fullmatch(r"(class|label)?[ _]?\d+", name.lower()) is not None


def misfit(ref: str, data: str | Scenes) -> str:
    """Why the classes of a model and of data do not fit, in a sentence that says what to do; "" where they do.

    "" as well where nobody says yet: a fresh network, a card without classes, no network.
    """
    card = models.shipped(ref)
    if card is not None and card.data == data:
        return ""
    try:
        ours = plan_of(ref).class_names
    except ValueError:
        return ""
    data = str(data) if generated(data) is None else "scenes"
    theirs = _classes(data)
    known = theirs.class_names
    if names_fit(ours, known) if known else theirs.classes <= len(ours):
        return ""
    return (
        f"{_short(ref)} knows {len(ours):,} classes ({_first(ours)}) and {_short(data)} has {theirs.classes:,}"
        f"{f' ({_first(known)})' if known else ''}: {_advice(ours, data)}."
    )


def require(recipe: Recipe) -> None:
    """Raise ValueError where a recipe's kind compares answers with labels, and the classes are known not to fit."""
    ref = recipe.chain[-1].model
    if recipe.kind.needs_classes and isinstance(ref, str):
        with compute_lock.released():  # a card may have to be asked for
            said = misfit(ref, recipe.data)
        if said:
            raise ValueError(said)


def data_for(ref: str) -> str:
    """Data that a model fits: those it was trained on, else the first known ones with its classes; "" where none is."""
    card = models.shipped(ref)
    if card is not None and card.data:
        return card.data
    try:
        plan = plan_of(ref)
    except ValueError:
        return ""
    said = str(plan.perturb.get("data") or "")
    return said or next((data for data, names in _shipped().items() if _same(plan.class_names, names)), "")


def _advice(ours: Sequence[str], data: str) -> str:
    fits = next((name for name, names in _shipped().items() if _same(ours, names)), "")
    choose = f"choose data that fit, such as {fits}" if fits else "search for data with the model's classes under Data"
    clean = f"zoo:{data}-clean"
    return f"{choose}, or take a model for these data" + (f", such as {clean}" if models.shipped(clean) else "")


def _same(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether classes are those of a known set, and not merely as many without a name."""
    return len(ours) == len(theirs) and names_fit(ours, theirs) and not any(map(_blank, ours))


def _classes(data: str) -> About:
    """What is known about the classes of data: from a shipped model of theirs, else from the Hub."""
    names = _shipped().get(data)
    if names is not None:
        return About(names, len(names))
    with suppress(ValueError):
        return about(data)
    return About()


def _shipped() -> dict[str, tuple[str, ...]]:
    """Class names by data set, of those that a shipped model was trained on."""
    firsts = {card.data: card.ref for card in reversed(models.available()) if card.data}
    return {data: plan_of(ref).class_names for data, ref in sorted(firsts.items())}


def _first(names: Sequence[str]) -> str:
    """Such as "tench, …"; ImageNet's classes have several names each."""
    return f"{names[0].split(',')[0]}, …"


def _short(name: str) -> str:
    """A name without its commit."""
    return name.split("@")[0]
