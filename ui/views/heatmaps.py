"""Heatmaps side by side: the pictures, one map or two, on one scale or each on its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from torch import Tensor

    from lab.running.job import Job
    from models import Classifier
    from ui.sidebar import Choice

LAST = "the last map"


def layers(choice: Choice, model: Classifier) -> list[str]:
    """The layers of a model that give a map, the last first, with their sizes."""

    def find() -> list[str]:
        import torch

        from core.explain import maps_of
        from lab.running.compute_lock import compute_lock

        with compute_lock:
            found = maps_of(copy.deepcopy(model), torch.zeros(1, *model.input_size))
        return [f"{name.removeprefix('net.')} ({h} × {w})" for name, (_, h, w) in reversed(found.items())]

    return [LAST, *cache.kept(find, "layers", model.card.sha, choice.model)]


def layer_of(option: str) -> str:
    """The name of the layer that an option of `layers` stands for; "" for the last map."""
    return "" if option == LAST else option.split(" (")[0]


def pictures(choice: Choice, model: Classifier, asked: list[int] | str) -> Tensor:
    """The pictures (N, C, H, W) that are explained; shared: do not change them."""
    from lab.kinds.shared.pictures import picked

    cache.bring(choice.data, choice.upload)
    return cache.kept(
        lambda: picked(model, choice.data, asked)[0].pixels, "explained", choice, asked, model.card.sha
    )  # fmt: skip


def draw(
    job: Job | None, shown: Tensor, says: Mapping[str, str], names: tuple[str, ...], signed: bool, shared: bool
) -> list[View]:
    """The pictures and their maps as far as the job is; `says` names the maps "map" and "beside/map"."""
    result = None if job is None or job.state != "done" else job.result
    if result is not None:
        maps = {name: value for name, value in result.images.items() if name.endswith("map")}
    else:
        now = None if job is None or job.ended else job.progress
        maps = {} if now is None else {name: value[:, 0] for name, value in now.images.items()}
    rows, notes = _views(shown, {name: one for name, one in maps.items() if name in says}, says, signed, shared)
    for row in rows:
        images.row(row, columns=max(3, len(row)))
    if result is not None:
        st.caption(" ".join(_classes(result.per_image, names)))
    high = "the largest value of all these maps" if shared else "each map's own largest value"
    images.key(f"High is {high}.", signed)
    for note in dict.fromkeys(filter(None, notes)):
        st.caption(f":material/info: {note}")
    return [view for row in rows for view in row]


def _views(
    pictures: Tensor, maps: Mapping[str, Tensor], says: Mapping[str, str], signed: bool, shared: bool
) -> tuple[list[list[View]], list[str]]:
    """A row for each picture: itself, and its maps; and what is to be said about maps that say nothing."""
    import torch

    drawn: list[Any] = []
    notes: list[str] = []
    if maps:
        many = torch.cat([pictures.cpu()] * len(maps))
        values = torch.cat([one.float().cpu() for one in maps.values()])
        drawn, notes = images.heat(many, values, signed=signed, normalise="shared" if shared else "absmax")
    rows = []
    for i, picture in enumerate(pictures):
        row = [View(images.pixels(picture.cpu()), "the picture", "The picture as it is")]
        for k, (name, one) in enumerate(maps.items()):
            at = k * len(pictures) + i
            ends = f"{float(one[i].min()):.3g} to {float(one[i].max()):.3g}"
            row.append(View(drawn[at], f"**{says[name]}**  \n{ends}", f"Heatmap of {says[name]}, {ends}. {notes[at]}"))
        rows.append(row)
    return rows, notes


def _classes(per_image: Mapping[str, list], names: tuple[str, ...]) -> list[str]:
    """For each picture, the class that is explained and what the model says."""
    told = []
    for i, (target, answer) in enumerate(zip(per_image["target"], per_image["before"], strict=True)):
        which = f"Picture {i + 1}: e" if len(per_image["target"]) > 1 else "E"
        told.append(f"{which}xplained is **{names[target]}**; the model says {names[answer]}.")
        if "beside" in per_image and per_image["beside"][i] != answer:
            told.append(f"The other model says {names[per_image['beside'][i]]}.")
    return told
