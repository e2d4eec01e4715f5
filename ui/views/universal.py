"""One change for all pictures: the change, test pictures with it, other networks, and the chosen picture with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import robustness as charts
from ui.charts.predictions import predictions
from ui.run_page import finished
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result
    from lab.running.job import Job
    from models import Classifier
    from ui.sidebar import Choice

PRINT = 1024
"""Pixels along the side of the patch that is printed."""


def row(choice: Choice, job: Job | None) -> list[View]:
    """The change as it is so far; after the run with test pictures."""
    result = finished(job)
    if result is not None:
        key = cache.run_key(job.key, result)  # type: ignore[union-attr]
        return cache.kept(lambda: _views(cache.model_of(result.recipe), result), "universal", key)
    progress = None if job is None or job.ended else job.progress
    now = {} if progress is None else progress.images
    _, picture, _ = cache.region(choice, None, {})
    views = [View(images.pixels(picture), "your choice" if choice.upload else "the chosen picture", "The picture")]
    if "delta" in now:
        views.append(View(images.pixels(now["delta"]), "v, magnified", "The perturbation as it is so far, magnified"))
    if "patch" in now:
        views.append(View(images.pixels(now["patch"]), "the patch", "The patch as it is so far"))
    return views


def _views(model: Classifier, result: Result) -> list[View]:
    change = result.images["change"]
    if is_patch(result):
        views = [View(images.pixels(_cut(result)), "the patch", "The patch")]
    else:
        shown, factor = images.magnified(change)
        views = [View(images.pixels(shown), f"v, ×{factor}", f"The perturbation, magnified {factor} times")]
    names, answers = model.class_names, result.per_image
    for picture, before, after in zip(result.images["changed"], answers["before"], answers["after"], strict=True):
        was, now = names[before], names[after]
        views.append(View(images.pixels(picture), f"{was} → **{now}**", f"A test picture with it: {was} becomes {now}"))
    return views


def is_patch(result: Result) -> bool:
    from core.attacks import Patch

    return isinstance(result.recipe.method, Patch)


def _cut(result: Result) -> Tensor:
    """The patch on white, as its outline cuts it."""
    from lab.kinds.shared.setting import method_of

    patch = result.images["change"]
    mask = method_of(result.recipe).outline(patch)
    return mask * patch + (1 - mask)


def download(result: Result) -> None:
    """The patch as a picture that can be printed."""
    data = cache.kept(lambda: images.encoded(images.pixels(_cut(result), PRINT)), "patch png", result.recipe.key())
    st.download_button("Patch as PNG", data, "patch.png", "image/png", icon=":material/print:")


def transfer(result: Result) -> None:
    """Fooling rates on the networks that it was made on and not."""
    found, n = result.figures, result.counts
    from core.metrics import wilson

    rows = [(str(result.recipe.model) if isinstance(result.recipe.model, str) else "this network", found["fooling"],
             found["control/fooling"], n["fooling"])]  # fmt: skip
    if "others" in result.images:
        rates = result.images["others"].tolist()
        rows += [(name, *row) for name, row in zip(result.notes["models"].split(", "), rates, strict=True)]
    told = []
    for place, (name, rate, control, of) in enumerate(rows):
        low, high = wilson(rate, int(of))
        told.append({"network": name, "made on it": not place, "fooled": rate,
                     "95 % interval": f"{low:.0%} – {high:.0%}", "control": control, "n": int(of)})  # fmt: skip
    share = st.column_config.NumberColumn(format="percent")
    st.dataframe(told, hide_index=True, column_config={"fooled": share, "control": share})
    st.caption("Test pictures that it was not made on, one seed; each network is judged against its own answers.")


def sides(result: Result) -> None:
    """Of a patch: its fooling rate by its side, beside the control."""
    n, rows = result.counts["fooling"], []
    for side, seen, control in result.images["sides"].tolist():
        for name, share in (("the patch", seen), ("its pixels shuffled", control)):
            rows.append({"name": name, "budget": side, "share": share, "n": n})
    charts.budgets(rows, ["the patch", "its pixels shuffled"], "side of the patch / side of the picture", "fooled",
                   height=360)  # fmt: skip
    st.caption(f"{n} test pictures at each side, places and angles drawn at random; bands are 95 % Wilson intervals.")


@dataclass(frozen=True)
class Spot:
    """Where a patch is put: side as a share of the picture's, angle in degrees, centre in [-1, 1]."""

    side: float
    angle: float
    x: float
    y: float


def on_choice(choice: Choice, model: Classifier, result: Result, spot: Spot | None) -> None:
    """The chosen picture, or the visitor's own, as it is, with the change and with the control, and what is said."""
    key = "universal choice", choice, model.card.sha, result.recipe.key(), spot
    views, said = cache.kept(lambda: _on_choice(choice, model, result, spot), *key)
    images.row(views, columns=3)
    predictions(model.class_names, said)


def _on_choice(
    choice: Choice, model: Classifier, result: Result, spot: Spot | None
) -> tuple[list[View], dict[str, Any]]:
    import torch

    from core.networks.predictions import predict
    from lab.kinds.shared.pictures import picked
    from lab.kinds.shared.setting import method_of
    from lab.running.compute_lock import compute_lock

    picture = picked(model, choice.data, choice.images)[0].pixels[:1]
    change = result.images["change"].to(picture)
    both = change, method_of(result.recipe).blind(change, result.recipe.seed)
    pictures = torch.cat([picture, *(_put(result, picture, each, spot) for each in both)])
    with compute_lock:
        shares = predict(model, pictures).softmax(1).cpu().numpy()
    names = ("as it is", "with the patch" if spot else "with v", "control")
    views = [
        View(images.pixels(each), f"{name}  \n**{model.class_names[int(row.argmax())]}**", f"The picture, {name}")
        for name, each, row in zip(names, pictures, shares, strict=True)
    ]
    return views, dict(zip(names, shares, strict=True))


def _put(result: Result, picture: Tensor, change: Tensor, spot: Spot | None) -> Tensor:
    from lab.kinds.shared.setting import method_of

    if spot is None:
        return (picture + change).clamp(0, 1)
    return method_of(result.recipe).put(picture, change, spot.side, spot.angle, spot.x, spot.y)
