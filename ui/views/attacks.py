"""Attacks side by side on one picture: what each made of it, where it stopped, its heatmaps, and the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache, looks
from ui.charts import robustness as charts
from ui.run_page import finished
from ui.views.under_attack import before_and_after
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from torch import Tensor

    from lab.recipes import Recipe
    from lab.results import Result
    from lab.running.job import Job
    from models import Classifier
    from ui.sidebar import Choice

HEAD = "adversarial/"


def row(choice: Choice, model: Classifier, job: Job | None) -> list[View]:
    """The picture, and what each attack has made of it so far."""
    result = finished(job)
    if result is not None:
        key = cache.run_key(job.key, result)  # type: ignore[union-attr]
        return cache.kept(lambda: _views(result.images, result), "attacks", key)
    progress = None if job is None or job.ended else job.progress
    if progress is not None and "original" in progress.images:
        return _views(progress.images, None)
    _, picture, label = cache.region(choice, None, {})
    name = "your picture" if label is None else f"true class: {model.class_names[label]}"
    return [View(images.pixels(picture), name, f"The picture, {name}")]


def _views(shown: dict[str, Tensor], result: Result | None) -> list[View]:
    original = shown["original"].reshape(shown["original"].shape[-3:])
    views = [View(images.pixels(original), "the picture", "The picture as it is")]
    table = {} if result is None else {line["attack"]: line for line in rows(result)}
    for name, picture in shown.items():
        if not name.startswith(HEAD):
            continue
        called = name.removeprefix(HEAD)
        says = f"{called}  \n**{table[called]['answer']}**" if called in table else called
        views.append(View(images.pixels(picture), says, f"The picture after {called}"))
    return views


def rows(result: Result) -> list[dict[str, Any]]:
    """A line of the table per attack, the control last."""
    from lab.kinds.budget import COLUMNS

    found, says = [], cache.model_of(result.recipe).class_names
    values = result.images["attacks"].tolist()
    for name, line in zip(result.notes["attacks"].split(", "), values, strict=True):
        each = dict(zip(COLUMNS, line, strict=True))
        found.append({
            "attack": name, "goal reached": bool(each["success"]), "answer": says[int(each["answer"])],
            "L∞ · 255": 255 * each["linf"], "L2": each["l2"], "pixels changed": each["l0"],
            "steps": int(each["steps"]), "queries": int(each["queries"]),
        })  # fmt: skip
    return found


def table(result: Result) -> None:
    """Where each attack stopped."""
    number, share = st.column_config.NumberColumn, st.column_config.NumberColumn(format="percent")
    st.dataframe(rows(result), hide_index=True, column_config={
        "L∞ · 255": number(format="%.1f"), "L2": number(format="%.3f"), "pixels changed": share,
    })  # fmt: skip
    st.caption("One picture. Queries are forward passes of the network; the last line is the control, random signs.")


def paths(result: Result) -> None:
    """The loss along each attack's steps."""
    series = {name.removeprefix("path/"): path.tolist() for name, path in result.images.items()
              if name.startswith("path/") and len(path)}  # fmt: skip
    charts.paths(series)


def closer(choice: Choice, result: Result, name: str) -> list[View]:
    """Heatmaps of the picture and of one attack's, on one scale, and the change magnified."""
    import torch

    from core.device import device_of

    model = cache.model_of(result.recipe)
    original, attacked = result.images["original"][0].cpu(), result.images[HEAD + name].cpu()
    both = torch.stack([original, attacked]).to(device_of(model))
    key = f"attacks {result.recipe.key()} {name}"
    (seen,) = looks.looked({f"model {model.card.ref}": model}, both, key)

    def make() -> list[View]:
        return before_and_after(seen, "before", f"after {name}")

    return cache.kept(make, "attacks closer", key, choice.heatmap)


def curves(job: Job | None, recipe: Recipe) -> None:
    """Accuracy against the budget, as far as it is measured."""
    from lab import robust_zoo
    from lab.kinds.shared.setting import method_of
    from lab.saving import ref_of

    points = [] if job is None else [point for point in job.curve if "net" in point]
    asked = recipe if job is None else job.recipe
    own = asked.model if isinstance(asked.model, str) else ref_of(asked.model)
    known = [own, *robust_zoo.names(cache.model_of(asked))]  # by the place that a point names
    scale, unit = (255, "ε · 255 (L∞)") if method_of(asked).norm == "linf" else (1, "radius in L2")
    lines: list[dict[str, Any]] = []
    for point in points:
        place, n = int(point["net"]), int(point["n"])
        shares = {known[place]: point["others/survives" if place else "survives"]}
        if not place:
            shares[f"{known[0]}, noise"] = point["noise"]
        for name, share in shares.items():
            lines.append({"name": name, "budget": scale * point["budget"], "share": share, "n": n})
    if not lines:
        st.caption("The curves grow here, one budget after another.")
        return
    charts.budgets(lines, list(dict.fromkeys(line["name"] for line in lines)), unit)
    st.caption(f"PGD on the same {lines[0]['n']} test pictures; bands are 95 % Wilson intervals over them, one seed. "
               "An upper bound: stronger attacks may break more.")  # fmt: skip
