"""A re-activation's five bars, on the repaired and on a clean model, and what they do over the budget."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.charts import GREY, line_legend, scaled
from ui.charts.once import once

WORDS = {
    "trigger": "trigger alone",
    "noise": "trigger + random noise",
    "reactivated": "trigger + perturbation",
    "clean_universal": "universal, no trigger",
    "delta_only": "perturbation, no trigger",
}
"""The five controls in words, in the order in which they are drawn."""

MODELS = {"": "repaired model", "clean_model/": "clean model"}
DASHES = {
    "reactivated": [1, 0],
    "clean_universal": [6, 3],
    "delta_only": [2, 2],
    "noise": [8, 3, 2, 3],
    "trigger": [1, 3],
}


@once
def five(figures: dict[str, float], *, height: int) -> None:
    """ASR of each control, the repaired model beside the clean one."""
    import altair as alt
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            "control": word,
            "model": model,
            "share": figures[f"asr/{head}{name}"],
            "label": _percent(figures[f"asr/{head}{name}"]),
        }
        for name, word in WORDS.items()
        for head, model in MODELS.items()
        if f"asr/{head}{name}" in figures
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("control:N", sort=list(WORDS.values()), title=None, axis=alt.Axis(labelLimit=170)),
        yOffset=alt.YOffset("model:N", sort=list(MODELS.values())),
        x=alt.X("share:Q", scale=alt.Scale(domain=[0, 1.18]), axis=None),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color(
            "model:N",
            sort=list(MODELS.values()),
            title=None,
            legend=alt.Legend(orient="bottom", direction="vertical", columns=1),
        ),
        tooltip=["model:N", "control:N", alt.Tooltip("share:Q", format=".1%")],
    )
    text = base.mark_text(align="left", dx=4, fontSize=scaled(11), color=GREY).encode(text="label:N")
    said = "; ".join(f"{row['model']}, {row['control']}: {row['label']}" for row in rows)
    st.altair_chart(
        (bars + text).properties(height=scaled(height)), width="stretch", alt=f"Attack success. {said}."
    )


@once
def over_budget(figures: dict[str, float], budgets: list[float], *, height: int) -> None:
    """ASR of each control of the repaired model over the budget ε, in 255ths; lines differ by dash too."""
    import altair as alt
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"budget": budget, "control": word, "share": figures[f"asr/{name}@{budget:.4g}"]}
        for name, word in WORDS.items()
        for budget in budgets
        if f"asr/{name}@{budget:.4g}" in figures
    ]
    scale: dict[str, Any] = {"domain": list(WORDS.values())}
    legend = line_legend(orient="bottom", direction="vertical", columns=1, labelLimit=200)
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=alt.X("budget:Q", title="budget ε · 255", axis=alt.Axis(grid=False)),
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("control:N", title=None, scale=alt.Scale(**scale), legend=legend),
            strokeDash=alt.StrokeDash(
                "control:N", scale=alt.Scale(**scale, range=[DASHES[name] for name in WORDS]), legend=legend
            ),
            tooltip=["control:N", alt.Tooltip("budget:Q", format=".3g"), alt.Tooltip("share:Q", format=".1%")],
        )
    )
    last = "; ".join(f"{row['control']} {_percent(row['share'])}" for row in rows if row["budget"] == budgets[-1])
    st.altair_chart(
        chart.properties(height=scaled(height)), width="stretch",
        alt=f"Attack success over the budget; at the end {last}.",
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
