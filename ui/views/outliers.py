"""What the Outliers page shows: errors along the trainings, codes, rounds, rules beside their ceilings, rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from ui import cache
from ui.charts import outliers as charts
from ui.widgets import images
from ui.widgets.images import View, pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from lab.recipes import Recipe
    from lab.results import Result

T = TypeVar("T")

KINDS = ("normal", "outlier", "another kind")
STATES = {1: "kept", 0: "rejected", -1: "pushed away"}
SIDE = 64


def _once(result: Result, what: str, make: Callable[[], T]) -> T:
    """What `make` gives, made once for each run: a rerun of the page encodes no picture again."""
    return cache.kept(make, "outliers", what, result.recipe.key(), result.seconds)


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


def stored(result: Result, recipe: Recipe | None) -> None:
    """Of a run that ships with the lab: that it is stored, what it is, and what came out of it."""
    given, method = result.recipe.inputs, result.recipe.method
    few, n = int(result.figures["outliers"]), len(result.images["truth"])
    anew = "the same run" if recipe == result.recipe else "a run of your settings"
    st.info(
        f"**A stored run**, trained before: {called(type(method).__name__)} on {result.recipe.data}, {given['normal']} "
        f"being normal and {given['outlier']} the outliers ({few} of {n} training pictures), "
        f"{result.counts['bacc']} test pictures, one training per detector, seed {result.recipe.seed}, on "
        f"{result.notes['hardware']}. **Train** computes {anew} here.",
        icon=":material/inventory_2:",
    )
    came_out = result.conclusion
    st.markdown(f"**What came out of it.** {came_out.text if came_out else ''}")


def figures(result: Result) -> None:
    """All charts of a finished run."""
    followed = {called(name): result.images[f"{name}/errors"] for name in names(result)[::-1] if _has(result, name)}
    if followed:
        st.header("Errors while they train", anchor=False)
        charts.errors(followed, height=300)
        few, n = int(result.figures["outliers"]), len(result.images["truth"])
        st.caption(
            f"Mean squared error per picture, of at most 200 normal training pictures and of the outliers among the "
            f"training pictures ({few} of {n}). One training each, seed {result.recipe.seed}."
        )
        _reconstructed(result)
    st.header("Rules and rankings", anchor=False)
    _rules(result)
    seen = result.images["kinds"] < 2
    scores = {called(name): result.images[f"{name}/scores"][seen] for name in names(result)}
    charts.curves(scores, (result.images["kinds"][seen] == 1).tolist(), height=280)


def _has(result: Result, name: str) -> bool:
    return f"{name}/errors" in result.images


def _reconstructed(result: Result) -> None:
    """A few training pictures, and what is left of them after each autoencoder."""
    for title, views in _once(result, "reconstructed", lambda: _examples(result)).items():
        st.caption(title)
        with st.grid(8, min_column_width=56, gap="xsmall"):
            for view in views:
                images.show(view)


def _examples(result: Result) -> dict[str, list[View]]:
    """The rows of pictures by title; normal ones come first."""
    from lab.kinds.outlier import EXAMPLES

    stacks = {"Training pictures:": result.images["examples"]}
    for name in names(result)[::-1]:
        if f"{name}/reconstructed" in result.images:
            stacks[f"What {called(name)} makes of them:"] = result.images[f"{name}/reconstructed"]
    normal = min(EXAMPLES, int((~result.images["truth"]).sum()))
    return {
        title: [
            View(pixels(picture, SIDE), KINDS[place >= normal], f"{title} {KINDS[place >= normal]}")
            for place, picture in enumerate(stack)
        ]
        for title, stack in stacks.items()
    }


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
    st.header(f"Codes of {called(shown)}", anchor=False)
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
        for view in _once(result, f"moved {step}", lambda: _states(result, row, step)):
            images.show(view)


def _states(result: Result, weights: Tensor, step: str) -> list[View]:
    """The followed pictures, each with its state by its weight (12,) after a step."""
    found = []
    for picture, weight, strange in zip(
        result.images["moved"], weights.tolist(), result.per_image["moved"], strict=True
    ):
        state = STATES[(weight > 0) - (weight < 0)]
        found.append(View(pixels(picture, SIDE), f"{KINDS[bool(strange)]}: {state}", f"{state} after {step}"))
    return found


def strangest(result: Result) -> list[View]:
    """The test pictures that each detector ranks strangest."""
    rows = _once(result, "strangest", lambda: {name: _ranked(result, name) for name in names(result)})
    for name, views in rows.items():
        st.caption(f"Strangest to {called(name)}:")
        with st.grid(10, min_column_width=52, gap="xsmall"):
            for view in views:
                images.show(view)
    return [view for views in rows.values() for view in views]


def _ranked(result: Result, name: str) -> list[View]:
    pairs = zip(result.images[f"{name}/strangest"], result.per_image[f"{name}/strangest"], strict=True)
    return [
        View(pixels(picture, SIDE), KINDS[kind], f"strange to {called(name)}: {KINDS[kind]}") for picture, kind in pairs
    ]
