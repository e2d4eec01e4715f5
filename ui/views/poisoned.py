"""What poisoned training pictures look like: some of them, with the labels before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ui import cache
from ui.widgets.images import View, pixels

if TYPE_CHECKING:
    from core.triggers import Poison
    from lab.recipes import Recipe
    from ui.sidebar import Choice

SHOWN = 6
"""Pictures in the grid."""

AMONG = 1000
"""Training pictures that are poisoned for the grid: all would take seconds."""


def samples(recipe: Recipe, choice: Choice) -> list[View]:
    """The first poisoned ones among the first training pictures; none where the trigger is learned in the run."""
    method: Any = recipe.method
    sha = cache.model(choice).card.sha
    return cache.kept(
        lambda: _samples(method.poison, choice, recipe.seed), "poisoned", method.poison, choice, sha, recipe.seed
    )


def _samples(poison: Poison, choice: Choice, seed: int) -> list[View]:
    import dataclasses

    import torch

    from core.data.modes import ANY_TO_ONE, keeps_labels, stamped
    from lab import loading
    from lab.kinds.shared.setting import planned

    if planned(poison).trigger is None:
        return []
    size = loading.classifier(choice.model).input_size[-1]
    train = loading.images(choice.data, "train", limit=AMONG, size=size)
    if keeps_labels(poison.mode):  # the pictures are stamped batch by batch, in the augmentation
        chosen = train[train.labels == poison.target] if poison.mode == ANY_TO_ONE else train
        train = chosen[:SHOWN]
        pictures, labels = stamped(poison.trigger, train, train.labels), train.labels
    else:
        few = dataclasses.replace(poison, rate=min(1.0, SHOWN / len(train)))
        drawn, index = few.stamp(train, torch.Generator().manual_seed(seed))
        train, pictures, labels = train[index], drawn.images[index], drawn.labels[index]
    views = []
    for i in range(len(train)):
        old, new = int(train.labels[i]), int(labels[i])
        label = f"{train.class_names[old]}, label kept" if old == new else (
            f"{train.class_names[old]} → **{train.class_names[new]}**"
        )  # fmt: skip
        picture = pixels(pictures[i])
        views.append(View(picture, label, f"Poisoned training picture, {label.replace('*', '')}"))
    return views


def told(poison: Poison) -> str:
    """How many of the training pictures look like these, in a sentence."""
    from core.data.modes import keeps_labels, trigger_per_class

    if trigger_per_class(poison.mode):
        return f"{poison.rate:.0%} of each batch carry the trigger of their own class, and no label changes."
    if keeps_labels(poison.mode):
        return "All training pictures of the target class carry the trigger, and no label changes."
    share = f"{poison.rate:.0%} of all training pictures carry the trigger"
    if poison.clean_label:
        return f"Training pictures of the target class only: {share}, and no label changes."
    return f"{share}, and with it the label on the right of the arrow. The others stay as they are."
