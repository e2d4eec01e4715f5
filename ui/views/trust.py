"""What the Trust page shows: a map on two scales, weights drawn anew, curves, a trigger, and a table of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import trust as charts
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from torch import Tensor

    from lab.kinds.kind import Conclusion
    from lab.results import Result
    from lab.running.job import Job
    from ui.sidebar import Choice

LABELS = (
    "deletion ↓", "insertion ↑", "pointing ↑", "on object ↑", "IoU ↑", "sensitivity ↓", "random twin ↓",
)  # fmt: skip
"""Columns of the table, in the order of `MEASURES`, and which way each is better."""
CONTROLS = {"RandomMap": "noise (no network)", "EdgeMap": "edges (no network)", "CentreMap": "centre (no network)"}
STORED = "trust"


def shown(job: Job | None) -> Mapping[str, Tensor]:
    """What a run has left, or has so far."""
    if job is None:
        return {}
    if job.state == "done" and job.result is not None:
        return job.result.images
    return {} if job.progress is None else job.progress.images


def before(choice: Choice, explainer: Any, target: int | None) -> list[View]:
    """The picture and its map on two scales, before any run; of a method that takes many passes, the picture alone."""
    cache.bring(choice.data, choice.upload)
    sha = cache.model(choice).card.sha
    return cache.kept(lambda: _before(choice, explainer, target), "trust", choice, sha, explainer, target)


def _before(choice: Choice, explainer: Any, target: int | None) -> list[View]:
    import copy

    from core.networks.predictions import predict
    from lab.kinds.shared.pictures import picked
    from lab.running.compute_lock import compute_lock

    with compute_lock:
        model = copy.deepcopy(cache.model(choice))
        picture = picked(model, choice.data, choice.images)[0].pixels[:1]
        if hasattr(explainer, "run"):
            return [View(images.pixels(picture[0]), "the picture", "The picture as it is")]
        answer = predict(model, picture).argmax(1)
        maps = explainer(model, picture, answer if target is None else answer.fill_(target))
    return scales(picture, maps, model.class_names[int(answer)])


def scales(picture: Tensor, maps: Tensor, explained: str) -> list[View]:
    """The picture (1, C, H, W), and its map (1, H, W) by its maximum and from its minimum to its maximum."""
    ends = f"{float(maps.min()):.3g} to {float(maps.max()):.3g}"
    views = [View(images.pixels(picture[0]), f"explained: **{explained}**", "The picture as it is")]
    for name, said in (("max", "divided by its maximum"), ("minmax", "from minimum to maximum")):
        drawn, notes = images.heat(picture, maps, normalise=name)
        views.append(View(drawn[0], f"{said}  \n{ends}", f"The heatmap {said}. {notes[0]}"))
    return views


def cascade(job: Job, found: Mapping[str, Tensor]) -> list[View]:
    """The map of the stage that the slider names, on the scale of the first map and on its own; and all stages."""
    st.subheader("Weights drawn anew, from the output down", anchor=False)
    last = len(found["cascade"]) - 1
    at = st.slider("Layers whose weights are random", 0, last, min(2, last), key="random-layers")
    views = cache.kept(lambda: _stage(found, at), "trust stage", job.key, at)
    images.row(views, columns=4)
    similarity = found["similarity"].tolist()
    said = "is constant" if similarity[at] != similarity[at] else f"has a rank correlation of {similarity[at]:.2f}"
    st.caption(f"With {at} of {last} layers random the map {said} with the first. Violet is low, "
               "yellow high.")  # fmt: skip
    charts.cascade(similarity, at)
    return views


def _stage(found: Mapping[str, Tensor], stage: int) -> list[View]:
    from core.metrics.localisation import energy_pointing_game

    picture, pair = found["original"].cpu(), found["cascade"][[0, stage]].float().cpu()
    same, _ = images.heat(picture.expand(2, -1, -1, -1), pair, reference=1)
    own, notes = images.heat(picture, pair[1:], normalise="minmax")
    ends = [f"{float(each.min()):.3g} to {float(each.max()):.3g}" for each in pair]
    first = View(images.pixels(picture[0]), "the picture", "The picture as it is")
    if "mask" in found:
        mask = found["mask"].cpu()
        share = float(energy_pointing_game(pair[:1], mask)[0])
        told = "nothing positive" if share != share else f"{100 * share:.0f} % of the heat"
        first = View(images.outlined(picture[0], mask[0]), f"the object  \n{told}", "The object, exactly")
    return [
        first,
        View(same[0], f"the map  \n{ends[0]}", "The heatmap of the model as it is"),
        View(same[1], f"{stage} layers random  \non the map's scale", "Heatmap on the first map's scale"),
        View(own[0], f"on its own scale  \n{ends[1]}", f"The same heatmap from minimum to maximum. {notes[0]}"),
    ]


def curves(found: Mapping[str, Tensor]) -> None:
    """Deletion and insertion of the picture, beside random orders."""
    both = ("deletion", "taken away"), ("insertion", "brought back")
    for place, (name, what) in zip(st.columns(2, gap="small"), both, strict=True):
        with place:
            charts.pixels(what, *(found[key].tolist() for key in ("shares", name, f"{name}/random")))
    many = len(found["deletion/random"])
    st.caption(f"The chosen picture. Dashed: the mean of {many} random orders; grey: from the lowest to the highest.")


def trigger(result: Result, answer: Conclusion | None) -> None:
    """The backdoored model's map without and with its trigger, on one scale, and where the trigger lies."""
    if "trigger/map" in result.images:
        images.row(cache.kept(lambda: _triggered(result), "trust trigger", result.recipe.key()), columns=4)
    if answer is not None:
        st.markdown(answer.text)


def _triggered(result: Result) -> list[View]:
    found, notes = result.images, result.notes
    pictures, maps = found["trigger/original"].cpu(), found["trigger/map"].float().cpu()
    drawn, _ = images.heat(pictures, maps)
    place = found["trigger/place"][0].cpu()
    return [
        View(images.pixels(pictures[0]), f"plain: **{notes['says plain']}**", "The picture without the trigger"),
        View(drawn[0], "its map", "Heatmap of the picture without the trigger"),
        View(images.outlined(pictures[1], place), f"the trigger: **{notes['says triggered']}**",
             "The picture with the trigger, bright where it changes pixels"),
        View(drawn[1], "its map with the trigger", "Heatmap of the picture with the trigger"),
    ]  # fmt: skip


def table(job: Job, found: Mapping[str, Tensor]) -> None:
    """The rows that are there so far, and what they are."""
    import pandas as pd

    told = rows(found)
    if not told:
        st.caption("The first row comes with the first tests.")
        return
    first = st.column_config.TextColumn(width=150, pinned=True)
    st.dataframe(
        pd.DataFrame(told), hide_index=True, column_config={"map": first},
        alt=f"Tests of {len(told)} maps; the first is {told[0]['map']}.",
    )  # fmt: skip
    st.caption(
        f"Means over the first {job.recipe.inputs['n']} test pictures with 95 % intervals, by the bootstrap; of the "
        "pointing game by Wilson. Arrows: which way is better. Every map explains what the model says."
    )
    if job.result is not None and "left out" in job.result.notes:
        st.caption(f"Left out: {job.result.notes['left out']}")


def rows(found: Mapping[str, Tensor]) -> list[dict[str, str]]:
    """The table as words: a row for each method, and in each cell the mean with its interval."""
    heads = [name.removeprefix("table/") for name in found if name.startswith("table/")]
    return [_row(head, found[f"table/{head}"].tolist()) for head in heads]


def _row(head: str, cells: Sequence[Sequence[float]]) -> dict[str, str]:
    told = {"map": CONTROLS.get(head, head)}
    for label, (mean, low, high) in zip(LABELS, cells, strict=True):
        told[label] = "–" if mean != mean else f"{mean:.2f} ({low:.2f} to {high:.2f})"
    return told


def shipped() -> None:
    """The stored table: every method on more pictures."""
    import pandas as pd

    from lab.tables import stored_table

    if (found := stored_table(STORED)) is None:
        return
    st.header("Every method, measured before", anchor=False)
    told = [{key: CONTROLS.get(value, value) for key, value in row.items()} for row in found["rows"]]
    first = st.column_config.TextColumn(width=150, pinned=True)
    st.dataframe(pd.DataFrame(told), hide_index=True, column_config={"map": first}, alt=found["title"])
    st.caption(f"{found['n']}; {found['hardware']}. {found['note']}")
