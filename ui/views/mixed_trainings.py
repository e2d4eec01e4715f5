"""Trainings with different mixers while they go on, and what their networks do beyond accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.charts import mixing as charts
from ui.charts.curve import curve

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result
    from lab.running.job import Job

STORED = {"fmix": "Trained longer, on CIFAR-10", "fmix-information": "What small VAEs learn from mixed pictures"}
"""Tables by name, and how the page calls them."""


def live(job: Job) -> None:
    """Accuracy of each training as it goes on; of a finished one what its networks do beyond that."""
    scores = [score for score in job.recipe.kind.scores if score.key.endswith("/acc")]
    curve(_looks(job.curve, [score.key for score in scores]), scores, height=330)
    result = job.result
    if result is None or result.stopped or "unmixed/ece" not in result.figures:
        return
    names = list(result.networks)
    n = result.counts["unmixed/acc"]
    _table(result, names)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Confidence and accuracy", anchor=False)
        charts.reliability({result.notes[name]: _plain(result.images[f"reliability/{name}"]) for name in names})
        st.caption(f"{n} test pictures in ten bins of confidence. Below the diagonal a network is too sure.")
    with right:
        st.subheader("Corrupted pictures", anchor=False)
        charts.corruptions({result.notes[name]: _corruptions(result, name) for name in names})
        method: Any = job.recipe.method
        st.caption(f"The same {n} pictures, severity {method.severity} of 5; occlusion is a grey square.")
    st.subheader("What the layers keep", anchor=False)
    bounds = {result.notes[name]: _plain(result.images[f"layers/{name}"]) for name in names}
    charts.layers(result.notes["layers"].split(", "), bounds)
    st.caption(
        f"Bounds on the information about which of {n} pictures it was, with noise a quarter as large as a layer's own "
        "spread. Fewer nats: pictures lie in fewer clusters."
    )


def shipped() -> None:
    """What is stored of networks that learned longer, and of VAEs, with what stands behind each table."""
    import pandas as pd

    from lab.tables import cell, stored_table

    for name, title in STORED.items():
        if (found := stored_table(name)) is not None:
            st.header(title, anchor=False)
            units = found["units"]
            rows = [{key: cell(value, units.get(key, "")) for key, value in row.items()} for row in found["rows"]]
            st.dataframe(pd.DataFrame(rows).fillna("-"), hide_index=True, alt=title)
            st.caption(f"{found['n']}; {found['hardware']}. {found['note']}")


def _looks(points: list[dict[str, Any]], keys: list[str]) -> list[dict[str, Any]]:
    """The moments without the scores that they only repeat: each training is looked at at moments of its own."""
    before: dict[str, float] = {}
    found = []
    for point in points:
        repeated = {key for key in keys if key in point and before.get(key) == point[key]}
        before |= {key: point[key] for key in keys if key in point}
        found.append({name: value for name, value in point.items() if name not in repeated})
    return found


def _corruptions(result: Result, name: str) -> dict[str, float]:
    head = f"{name}/corruption/"
    return {key.removeprefix(head): share for key, share in result.figures.items() if key.startswith(head)}


def _plain(values: Tensor) -> list[list[float]]:
    """As lists; 0 for what an empty bin does not have."""
    return values.nan_to_num(0.0).tolist()


def _table(result: Result, names: list[str]) -> None:
    import pandas as pd

    from lab.kinds.mixing import LABELS

    rows = [
        {"training": result.notes[name]}
        | {label: 100 * result.figures[f"{name}/{key}"] for key, label in LABELS.items()}
        for name in names
    ]  # fmt: skip
    shares = {label: st.column_config.NumberColumn(format="%.1f %%") for label in LABELS.values()}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=shares, alt="What each training led to")
    method: Any = result.recipe.method
    attack = f"PGD has ε = {255 * method.eps:.0f}/255 and 10 steps."
    st.caption(f"{attack} Calibration error: lower is better; of the others higher is.")
