"""A robustness report on the page: curve, stages, classes, corruptions and regions, and its two files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import cache
from ui.charts import robustness as charts

if TYPE_CHECKING:
    from lab.results import Result

SHARE = st.column_config.NumberColumn(format="percent")


def files(result: Result) -> None:
    """The report as HTML and as JSON."""
    from lab import robustness_file

    key = cache.run_key(result.recipe.key(), result)
    page = cache.kept(lambda: robustness_file.as_html(result), "report html", key)
    data = cache.kept(lambda: json.dumps(robustness_file.as_json(result), indent=2), "report json", key)
    with st.container(horizontal=True):
        st.download_button("Report as HTML", page, "report.html", "text/html", icon=":material/description:",
                           on_click="ignore", type="primary")  # fmt: skip
        st.download_button("Report as JSON", data, "report.json", "application/json", icon=":material/data_object:",
                           on_click="ignore")  # fmt: skip


def tables(result: Result) -> None:
    """What the files hold, as far as the figures do not tell it."""
    from core.metrics import wilson
    from lab.kinds.report import CORRUPTED, REGION
    from lab.robustness_file import as_json

    data, n, method = as_json(result), result.counts, _method(result)
    scale, unit = (255, "ε · 255 (L∞)") if method.norm == "linf" else (1, "radius in L2")
    rows = []
    for name, shares in (("PGD", data["curve"]["robust"]), ("noise", data["curve"]["noise"])):
        for budget, share in zip(data["curve"]["budgets"], shares, strict=True):
            low, high = wilson(share, n["acc"])
            rows.append({"name": name, "budget": scale * budget, "share": share, "low": low, "high": high,
                         "n": n["acc"]})  # fmt: skip
    charts.budgets(rows, ["PGD", "noise"], unit, "right")
    for warning in data["warnings"]:
        st.warning(warning, icon=":material/warning:")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**AutoAttack**, {n['autoattack']} pictures")
        st.dataframe(data["autoattack"], hide_index=True)
        st.markdown(f"**Corruptions** of severity {method.severity}, n = {n['acc']}")
        _part(result, CORRUPTED)
    with right:
        st.markdown("**By class**")
        st.dataframe(data["classes"], hide_index=True, column_config={"acc": SHARE, "robust": SHARE})
        st.markdown(f"**PGD on a part** (28.7 % of the pixels), n = {n['acc']}")
        _part(result, REGION)
    st.caption("One seed; bands are 95 % Wilson intervals over the pictures. Each share is an upper bound.")


def _part(result: Result, head: str) -> None:
    rows = [{"": name.removeprefix(head), "right": value} for name, value in result.figures.items()
            if name.startswith(head)]  # fmt: skip
    st.dataframe(rows, hide_index=True, column_config={"right": SHARE})


def _method(result: Result) -> Any:
    return result.recipe.method
