"""Charts of a detector: its scores, its ROC curve, the features of a class, and the classes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

if TYPE_CHECKING:
    from lab.results import Result

KINDS = ("clean", "triggered")
BINS = 30
POINTS = 600
"""Points of a curve or a scatter that are drawn, at most."""

BY_CLASS = {"silhouette": "silhouette of two clusters", "explained": "variance along v"}


def histograms(result: Result, *, height: int = 250) -> None:
    """Scores of clean and of triggered suspects, each as shares of its kind, and the method's threshold."""
    method: Any = result.recipe.method
    truth, scores = result.per_image["truth"], result.per_image["score"]
    log = getattr(method, "logarithmic", False)
    title = f"score: {method.score}{' (log scale)' if log else ''}"
    _histograms(scores, truth, float(result.images["threshold"]), title, log, scaled(height))


@once
def _histograms(scores: list[float], truth: list[bool], threshold: float, title: str, log: bool, height: int) -> None:
    import altair as alt
    import numpy as np
    import pandas as pd

    def scale(values: Any) -> Any:
        return np.log10(np.maximum(values, 1e-6)) if log else np.asarray(values, dtype=float)

    values, kinds = scale(scores), np.asarray(truth)
    edges = np.linspace(values.min(), values.max() + 1e-9, BINS + 1)
    rows = []
    for kind, chosen in zip(KINDS, (~kinds, kinds), strict=True):
        counts, _ = np.histogram(values[chosen], edges)
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
            rows.append({"low": low, "high": high, "share": count / max(1, chosen.sum()), "suspects": kind})
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(opacity=0.6, binSpacing=0)
        .encode(
            x=alt.X("low:Q", bin="binned", title=title, axis=alt.Axis(tickCount=6, grid=False)),
            x2="high:Q",
            y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color("suspects:N", sort=list(KINDS), title=None, legend=alt.Legend(orient="top")),
            tooltip=["suspects:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    chart: Any = bars
    at = float(scale(threshold))
    if np.isfinite(at) and edges[0] <= at <= edges[-1]:
        rule = alt.Chart(pd.DataFrame({"at": [at], "word": ["threshold"]}))
        line = rule.mark_rule(strokeDash=[4, 3], color=GREY, strokeWidth=2).encode(x="at:Q")
        word = rule.mark_text(align="left", dx=4, fontSize=scaled(11), color=GREY).encode(
            x="at:Q", y=alt.value(8), text="word:N"
        )
        chart = bars + line + word
    middle = {kind: np.median(values[chosen]) for kind, chosen in zip(KINDS, (~kinds, kinds), strict=True)}
    said = ", ".join(f"{kind} {value:.2f}" for kind, value in middle.items())
    st.altair_chart(
        chart.properties(height=height), width="stretch",
        alt=f"Histograms of the scores of clean and triggered suspects; medians: {said}.",
    )  # fmt: skip


def curve(result: Result, *, height: int = 250) -> None:
    """The ROC curve on the model and, dashed, on the clean model."""
    truth = result.per_image["truth"]
    lines = {"this model": result.per_image["score"]}
    if "clean_model/score" in result.per_image:
        lines["clean model"] = result.per_image["clean_model/score"]
    _curve(lines, truth, scaled(height))


@once
def _curve(lines: dict[str, list[float]], truth: list[bool], height: int) -> None:
    import altair as alt
    import pandas as pd
    import torch

    from core.metrics.roc import roc

    rows, said, names = [], [], []
    for name, scores in lines.items():
        found = roc(torch.tensor(scores), torch.tensor(truth))
        label = f"{name}: {found.auroc:.3f}"
        names.append(label)
        said.append(f"{name} {found.auroc:.3f}")
        # Corners of the steps matter where the curve is steep, so that points are thinned evenly along it.
        kept = torch.linspace(0, len(found.fpr) - 1, min(POINTS, len(found.fpr))).round().long()
        for fpr, tpr in zip(found.fpr[kept].tolist(), found.tpr[kept].tolist(), strict=True):
            rows.append({"fpr": fpr, "tpr": tpr, "AUROC": label})
    scale, legend = alt.Scale(domain=names), line_legend(orient="top", columns=1)
    lines_ = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(
            x=alt.X("fpr:Q", title="false positives", axis=alt.Axis(format="%", tickCount=4)),
            y=alt.Y("tpr:Q", title="found", axis=alt.Axis(format="%", tickCount=4)),
            order="fpr:Q",
            color=alt.Color("AUROC:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash(
                "AUROC:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]][: len(names)]),
                legend=legend,
            ),
            tooltip=["AUROC:N", alt.Tooltip("fpr:Q", format=".1%"), alt.Tooltip("tpr:Q", format=".1%")],
        )
    )  # fmt: skip
    ends = pd.DataFrame({"fpr": [0, 1], "tpr": [0, 1]})
    chance = alt.Chart(ends).mark_line(strokeDash=[2, 4], color=GREY, strokeWidth=1).encode(x="fpr:Q", y="tpr:Q")
    st.altair_chart(
        (chance + lines_).properties(height=height), width="stretch",
        alt=f"ROC curve; area under it (AUROC): {'; '.join(said)}. Chance is 0.5.",
    )  # fmt: skip


def scatter(result: Result, *, height: int = 250) -> None:
    """The features of the class that holds most poison, along their two main directions."""
    images = result.images
    _scatter(
        images["projection"].tolist(), images["projection/truth"].tolist(), images["projection/flagged"].tolist(),
        result.notes["class"], scaled(height),
    )  # fmt: skip


@once
def _scatter(points: list[list[float]], truth: list[bool], flagged: list[bool], label: str, height: int) -> None:
    import altair as alt
    import pandas as pd

    step = max(1, len(points) // POINTS)
    rows = [
        {"u": u, "v": v, "suspects": KINDS[bad], "flagged": "flagged" if thrown else "kept"}
        for (u, v), bad, thrown in zip(points[::step], truth[::step], flagged[::step], strict=True)
    ]
    title = alt.Title(f"Features of class {label}", fontSize=scaled(12), anchor="start")
    chart = (
        alt.Chart(pd.DataFrame(rows), title=title)
        .mark_point(size=22, opacity=0.7)
        .encode(
            x=alt.X("u:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("v:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
            color=alt.Color("suspects:N", sort=list(KINDS), scale=alt.Scale(domain=list(KINDS)), legend=None),
            shape=alt.Shape(
                "flagged:N", scale=alt.Scale(domain=["kept", "flagged"], range=["circle", "cross"]),
                legend=alt.Legend(orient="bottom", title=None),
            ),
            tooltip=["suspects:N", "flagged:N"],
        )
        .properties(height=height)
    )  # fmt: skip
    said = f"{sum(truth)} of {len(truth)} features of class {label} are triggered, {sum(flagged)} are flagged"
    st.altair_chart(chart, width="stretch", alt=f"Scatter: {said}.")


def by_class(result: Result, names: Sequence[str], *, height: int = 250) -> None:
    """What the detector measured in each class; the one that holds most poison is marked."""
    kind = result.notes["by_class"]
    _by_class(result.images["by_class"].tolist(), list(names), result.notes["class"], BY_CLASS[kind], scaled(height))


@once
def _by_class(values: list[float], names: list[str], target: str, title: str, height: int) -> None:
    import altair as alt
    import pandas as pd

    rows = [
        {"class": name, "value": value, "holds": KINDS[name == target], "mark": "← poisoned" if name == target else ""}
        for name, value in zip(names, values, strict=False)
        if value == value
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=4, grid=False)),
        y=alt.Y("class:N", sort=names, title=None, axis=alt.Axis(labelLimit=80, labelOverlap=True)),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color("holds:N", scale=alt.Scale(domain=list(KINDS)), legend=None),
        tooltip=["class:N", alt.Tooltip("value:Q", format=".3f")],
    )
    text = base.mark_text(align="left", dx=3, fontSize=scaled(11), color=GREY).encode(text="mark:N")
    most = max(rows, key=lambda row: row["value"])["class"] if rows else "none"
    st.altair_chart(
        (bars + text).properties(height=height), width="stretch",
        alt=f"{title.capitalize()} by class; largest in {most}, the poison is in {target}.",
    )  # fmt: skip
