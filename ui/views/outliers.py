"""What the Outliers page shows: errors along the trainings, codes, rounds, rules beside their ceilings, rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import outliers as charts
from ui.widgets import images
from ui.widgets.images import View, pixels

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result

KINDS = ("normal", "outlier", "another kind")
STATES = {1: "kept", 0: "rejected", -1: "pushed away"}
SIDE = 64


def running(points: list[dict[str, Any]]) -> None:
    """The errors of the trainings so far, as the curve of a running job has them."""
    found: dict[str, list[list[float]]] = {}
    for point in points:
        if "ratio" in point:
            found.setdefault(called(point["stage"].partition(":")[0]), []).append([point["epoch"], 1.0, point["ratio"]])
    if not found:
        st.caption("The curves start with the first epochs.")
        return
    import torch

    charts.errors({name: torch.tensor(rows) for name, rows in found.items()}, height=300)
    st.caption("Mean error of the training outliers, as a multiple of that of normal training pictures, which is 1.")


def called(name: str) -> str:
    """A detector's short name."""
    from lab.kinds.shared.outlier_outcomes import called as short

    return short(name)


def names(result: Result) -> list[str]:
    """The detectors that ran, the page's own first."""
    from lab.kinds.shared.outlier_outcomes import names as all_of_them

    return all_of_them(result)[::-1]


def figures(result: Result) -> None:
    """All charts of a finished run."""
    followed = {called(name): result.images[f"{name}/errors"] for name in names(result)[::-1] if _has(result, name)}
    if followed:
        st.subheader("Errors while they train", anchor=False)
        charts.errors(followed, height=300)
        few, n = int(result.figures["outliers"]), len(result.images["truth"])
        st.caption(
            f"Mean squared error per picture, of at most 200 normal training pictures and of the outliers among the "
            f"training pictures ({few} of {n}). One training each, seed {result.recipe.seed}."
        )
        _reconstructed(result)
    st.subheader("Rules and rankings", anchor=False)
    _rules(result)
    seen = result.images["kinds"] < 2
    scores = {called(name): result.images[f"{name}/scores"][seen] for name in names(result)}
    charts.curves(scores, (result.images["kinds"][seen] == 1).tolist(), height=280)


def _has(result: Result, name: str) -> bool:
    return f"{name}/errors" in result.images


def _reconstructed(result: Result) -> None:
    """A few training pictures, and what is left of them after each autoencoder."""
    shown = [name for name in names(result)[::-1] if f"{name}/reconstructed" in result.images]
    for title, stack in {
        "Training pictures:": result.images["examples"],
        **{f"What {called(name)} makes of them:": result.images[f"{name}/reconstructed"] for name in shown},
    }.items():
        st.caption(title)
        with st.grid(8, min_column_width=56, gap="xsmall"):
            strange = len(stack) - 4 if result.figures["outliers"] else len(stack)
            for place, picture in enumerate(stack):
                kind = KINDS[place >= min(4, strange)]
                images.show(View(pixels(picture, SIDE), kind, f"{title} {kind}"))


def _rules(result: Result) -> None:
    found = result.figures
    charts.rules([
        {"detector": called(name), "bacc": found[f"{name}/bacc"], "ceiling": found[f"{name}/ceiling"],
         "unobserved": found.get(f"{name}/unobserved")}
        for name in names(result)
    ])  # fmt: skip
    n = result.counts[f"{names(result)[0]}/bacc"]
    st.caption(
        f"Bars: balanced accuracy over {n} test pictures, normal ones and outliers of the kind trained on. Ticks: the "
        "ceiling of each rule, which its thresholds set on the training pictures; on test pictures it is approximate, "
        "so a bar may pass it a little. Dots: outliers of other kinds."
    )
    for name in ("ITSR", "AdversarialAutoencoder"):
        if f"{name}/bacc/likelihood" in found:
            st.caption(
                f"Of {called(name)} the reconstruction rule alone has {100 * found[f'{name}/bacc/reconstruction']:.1f} "
                f"%, the likelihood rule alone {100 * found[f'{name}/bacc/likelihood']:.1f} %."
            )


def refined(result: Result) -> None:
    """The latent plane, the rounds of ITSR, and pictures on their way from kept to pushed away."""
    shown = next((name for name in ("ITSR", "AdversarialAutoencoder") if f"{name}/codes" in result.images), None)
    if shown is None:
        return
    st.subheader(f"Codes of {called(shown)}", anchor=False)
    truth = result.images["truth"].tolist()
    history: Tensor | None = result.images.get(f"{shown}/history")
    weights = [1.0] * len(truth) if history is None else history[-1].tolist()
    left, right = st.columns([1.2, 1], gap="small")
    with left:
        radius = float(result.images[f"{shown}/radius"])
        charts.plane(result.images[f"{shown}/codes"], truth, weights, radius, height=400)
        st.caption(f"Beyond the circle, radius {radius:.2f}, a code is unlikely: 10 % of the training pictures.")
    if history is None:
        return
    with right:
        charts.rounds(history, truth, height=400)
        st.caption("Rejected: not trained on. Pushed away: trained to be reconstructed worse.")
    _moving(result)


def _moving(result: Result) -> None:
    """Pictures round by round: chosen are outliers, and normal ones that ITSR took out."""
    states = result.images["moved/weights"]
    last = len(states) - 1
    step = st.select_slider(
        "Pictures after", [*(f"round {place + 1}" for place in range(last)), "retraining"], key="round",
        value="retraining", help="Outliers of the training pictures first, then normal ones that became candidates.",
    )  # fmt: skip
    row = states[last if step == "retraining" else int(step.split()[1]) - 1]
    with st.grid(6, min_column_width=72, gap="xsmall"):
        moved = zip(result.images["moved"], row.tolist(), result.per_image["moved"], strict=True)
        for picture, weight, strange in moved:
            state = STATES[(weight > 0) - (weight < 0)]
            images.show(View(pixels(picture, SIDE), f"{KINDS[bool(strange)]}: {state}", f"{state} after {step}"))


def strangest(result: Result) -> list[View]:
    """The test pictures that each detector ranks strangest."""
    shown = []
    for name in names(result):
        st.caption(f"Strangest to {called(name)}:")
        with st.grid(10, min_column_width=52, gap="xsmall"):
            kinds = result.per_image[f"{name}/strangest"]
            for picture, kind in zip(result.images[f"{name}/strangest"], kinds, strict=True):
                view = View(pixels(picture, SIDE), KINDS[kind], f"strange to {called(name)}: {KINDS[kind]}")
                images.show(view)
                shown.append(view)
    return shown
