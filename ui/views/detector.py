"""What the Detect page shows: the two kinds to be told apart, then charts, and the overlays of STRIP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui.charts import detector
from ui.widgets.images import View, pixels

if TYPE_CHECKING:
    from lab.results import Result
    from ui.looks import Look

WORDS = ("without trigger", "with trigger")


def waiting(seen: Look) -> list[View]:
    """The chosen picture, without and with the trigger: the two that are to be told apart."""
    return [
        View(pixels(one), f"{word}  \n**{seen.says(i)}**", f"The chosen picture: {word}, says {seen.says(i)}")
        for i, (one, word) in enumerate(zip(seen.images, WORDS, strict=False))
    ]


def charts(result: Result, names: Sequence[str]) -> None:
    """Scores and ROC curve, and below them what only a detector on training data has: one class, and all of them."""
    left, right = st.columns([1.5, 1], gap="small")
    low = "projection" in result.images
    with left:
        detector.histograms(result, height=190 if low else 230)
        if low:
            detector.scatter(result, height=190)
    with right:
        detector.curve(result, height=190 if low else 230)
        if low:
            detector.by_class(result, names, height=190)


def blends(result: Result, names: Sequence[str]) -> list[View]:
    """STRIP's idea in eight pictures: one without and one with trigger, alone and under three overlays."""
    if "blends" not in result.images:
        return []
    answers = iter(result.per_image["blends/answer"])
    views = []
    for kind, row in zip(("original", "triggered"), result.images["blends"], strict=True):
        for step, picture in enumerate([result.images[kind][0], *row]):
            says = names[next(answers)]
            told = ("clean" if kind == "original" else "triggered") if step == 0 else "overlaid"
            views.append(View(pixels(picture), f"{told}  \n**{says}**", f"{kind}, {told}: the model says {says}"))
    return views
