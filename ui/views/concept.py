"""What the Concepts page shows: recalls, the classes' scores, pictures at both ends, and one picture moved along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import concepts as charts
from ui.charts.predictions import predictions
from ui.widgets import images
from ui.widgets.images import View, pixels

if TYPE_CHECKING:
    from core.data import ImageSet
    from lab.results import Result
    from models import Classifier
    from ui.sidebar import Choice

FARTHEST = 3.0
"""How strongly a concept is added or removed, at most."""
STEPS = 25
MOST = 12
"""Classes that are shown."""
ENDS = ("Nearest to the concept, of the pictures that were tested on:", "Farthest from it:")
EXAMPLES = ("Pictures with the concept:", "Pictures without it:")


def figures(result: Result) -> None:
    """Recall against false positives, and the classes' scores."""
    left, right = st.columns([1, 1.35], gap="small")
    heads = {"": type(result.recipe.method).__name__}
    if "alongside" in result.recipe.inputs:
        heads["beside/"] = result.recipe.inputs["alongside"]["method"] + " beside it"
    with left:
        dots = {name: result.images[f"{head}recalls"][:, :2] for head, name in heads.items()}
        charts.recalls(dots, {name: result.images[f"{head}roc"] for head, name in heads.items()}, height=330)
        sets = len(result.images["recalls"])
        st.caption(f"A dot is one of {sets} random sets, at its own threshold. Dotted: 5 % false positives.")
    with right:
        names, p = scored(result)
        best = sorted(range(len(names)), key=lambda k: (p[k], -abs(float(result.images["scores"][:, k].mean()) - 0.5)))
        shown = sorted(best[:MOST])
        charts.scores(
            [names[k] for k in shown], result.images["scores"][:, shown], result.images["controls"][:, shown],
            [p[k] for k in shown], height=330,
        )  # fmt: skip
        controls = len(result.images["controls"])
        few = f" The {MOST} classes with the smallest p." if len(names) > MOST else ""
        st.caption(f"Thick: mean score; circles: random sets; grey: the range of {controls} random concepts.{few}")


def scored(result: Result) -> tuple[list[str], list[float]]:
    """The classes that have pictures, and p of each."""
    found = {name.removeprefix("p/"): x for name, x in result.figures.items() if name.startswith("p/")}
    return list(found), list(found.values())


def ends(result: Result) -> list[View]:
    """The pictures that lie farthest toward the concept, and those farthest from it."""
    views = []
    for end in ("nearest", "farthest"):
        for picture, holds in zip(result.images[end], result.per_image[end], strict=True):
            views.append(View(pixels(picture, 128), "with it" if holds else "without", f"{end}: {holds}"))
    return views


def rows(shown: list[View], *titles: str) -> None:
    """Rows of as many pictures each, below their titles."""
    many = len(shown) // len(titles)
    for place, title in enumerate(titles):
        st.caption(title)
        with st.grid(8, min_column_width=64, gap="xsmall"):
            for view in shown[place * many : (place + 1) * many]:
                images.show(view)


def examples(concept: str, data: ImageSet) -> list[View]:
    """Pictures with and without a label or a class of the data, as many of each; [] for other concepts."""
    from core.data import ImageSet
    from lab import concepts

    holds = concepts.find(concept, data, data.images.shape[-1]) if "=" in concept and "#" not in concept else None
    if holds is None or isinstance(holds, ImageSet):
        return []
    parts = [data.images[each][:8] for each in (holds, ~holds)]
    many = min(map(len, parts))
    return [View(pixels(picture, 128), "", title) for part, title in zip(parts, EXAMPLES, strict=True)
            for picture in part[:many]]  # fmt: skip


def moved(choice: Choice, model: Classifier, result: Result, strength: float) -> str:
    """What the model says of the chosen picture once the concept is added or removed; the sentence for it."""
    strengths, shares = cache.kept(
        lambda: _shares(choice, model, result), "concept moved", result.recipe.key(), choice.images, model.card.sha
    )
    at = int((strengths - strength).abs().argmin())
    zero = int(strengths.abs().argmin())
    names = model.class_names
    left, right = st.columns([1.2, 1], gap="small")
    with left:
        charts.along(names, strengths, shares, strength, height=250)
    with right:
        moments = {"as it is": shares[zero].numpy(), f"moved by {strength:+g}": shares[at].numpy()}
        predictions(names, moments, height=250)
    before, after = (names[int(shares[i].argmax())] for i in (zero, at))
    if before == after:
        return f"Moved by {strength:+g}, the picture is still called **{after}**."
    return f"Moved by {strength:+g}, the picture is called **{after}**; as it is, **{before}**."


def _shares(choice: Choice, model: Classifier, result: Result) -> tuple[Any, Any]:
    """Strengths (S,) and softmax (S, K) of the chosen picture, on a copy, since the layer is hooked."""
    import copy

    import torch

    from core.explain.concepts.layer import layer_of
    from lab.kinds.shared.pictures import picked
    from lab.running.compute_lock import compute_lock

    strengths = torch.linspace(-FARTHEST, FARTHEST, STEPS)
    with compute_lock:
        picture = picked(model, choice.data, choice.images)[0].images[:1]
        layer = layer_of(copy.deepcopy(model), picture, result.notes["layer"], result.notes["pool"] == "mean")
        logits = layer.moved(picture, result.images["difference"].to(picture.device), strengths)
    return strengths, logits[:, 0].softmax(1).cpu()
