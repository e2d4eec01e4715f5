"""A picture and the same under attack, as a model sees both: heatmaps on one scale, and the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui import cache
from ui.looks import Look, look, tensors
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from ui.sidebar import Choice

EPS, STEPS = 8 / 255, 5
TOLD = f"Heatmaps on one scale; the attack is PGD with ε = 8/255 and {STEPS} steps."


def views(choice: Choice) -> list[View]:
    """Of the model, data and picture of `choice`."""
    cache.bring(choice.data, choice.upload)
    sha = cache.model(choice).card.sha
    return cache.kept(lambda: _views(*_seen(choice)), "under attack", choice, sha)


def row(shown: Sequence[View], before: str = "") -> None:
    """The three beside each other; the caption begins with `before`."""
    images.row(shown, columns=3)
    st.caption(before + TOLD)


def _seen(choice: Choice) -> tuple[Look, str]:
    import torch

    from core.attacks import PGD
    from core.runs import finish
    from lab.kinds.shared.pictures import chosen
    from lab.running.compute_lock import compute_lock

    with compute_lock:
        model = cache.model(choice)
        batch = chosen(model, choice.data, choice.images)
        attack = PGD(eps=EPS, alpha=EPS / 2, steps=STEPS, stop_early=False)
        found = finish(attack.run(model, batch.data.pixels, batch.labels, seed=0))
        seen = look(model, torch.cat((batch.data.pixels, found.images)), choice.heatmap)
    own = "" if batch.own_words else f"true class {batch.data.class_names[int(batch.labels[0])]}"
    return seen, own


def _views(seen: Look, label: str) -> list[View]:
    return before_and_after(seen, label or "as it is", "attacked")


def before_and_after(seen: Look, before: str, after: str) -> list[View]:
    """Of a look at a picture and the same attacked: both heatmaps on the first one's scale, and the change."""
    drawn, _ = images.heat(*tensors(seen), reference=1)
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    return [
        View(drawn[0], f"{before}  \n**{seen.says(0)}**", f"Heatmap of the picture: {seen.says(0)}"),
        View(drawn[1], f"{after}  \n**{seen.says(1)}**", f"Heatmap of the picture, {after}: {seen.says(1)}"),
        View(images.pixels(change), f"the change, ×{factor}", f"The change, magnified {factor} times"),
    ]
