"""The background challenge on Scenes: the same objects on other grounds, alone, and gone."""

from __future__ import annotations

import dataclasses

from core.data.imageset import ImageSet
from core.data.scenes import BACKGROUND, OBJECT, Scenes

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
    tied, free = (dataclasses.replace(scenes, bias=bias) for bias in (1.0, 0.0))
    return {
        ORIGINAL: scenes.load(split, limit),
        SAME: tied.load(split, limit),
        RANDOM: free.load(split, limit),
        ONLY_OBJECT: scenes.load(split, limit, show=OBJECT),
        ONLY_BACKGROUND: scenes.load(split, limit, show=BACKGROUND),
    }
