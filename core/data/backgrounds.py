"""The background challenge on Scenes: the same objects on other grounds, alone, and gone."""

from __future__ import annotations

import dataclasses

from core.data.imageset import ImageSet
from core.data.scenes import BACKGROUND, OBJECT, WHOLE, Scenes

ORIGINAL, SAME, RANDOM, ONLY_OBJECT, ONLY_BACKGROUND = CHALLENGE = (
    "original", "mixed same", "mixed random", "only object", "only background",
)  # fmt: skip


def challenge(scenes: Scenes, split: str = "test", limit: int | None = None) -> dict[str, ImageSet]:
    """The first `limit` pictures of a split, five times, after Xiao et al., "Noise or signal: the role of image
    backgrounds in object recognition", ICLR 2021 (arXiv 2006.09994).

    "original" : as `scenes` makes them
    "mixed same" : each on a background of its class
    "mixed random" : each on a background that says nothing of its class
    "only object" : on plain grey
    "only background" : of "original", without the object; whoever still tells the class looks at the ground

    Shape, place, size, texture and light of an object are the same in all; its colour follows the background's, from
    which it always differs.
    """
    return {name: on_background(name, scenes, split, limit) for name in CHALLENGE}


def on_background(name: str, scenes: Scenes, split: str = "test", limit: int | None = None) -> ImageSet:
    """The one of these sets that is called `name`."""
    bias = {SAME: 1.0, RANDOM: 0.0}.get(name, scenes.bias)
    show = {ONLY_OBJECT: OBJECT, ONLY_BACKGROUND: BACKGROUND}.get(name, WHOLE)
    return dataclasses.replace(scenes, bias=bias).load(split, limit, show=show)
