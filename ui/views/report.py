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
    data = cache.kept(lambda: json.dumps(_data(result), indent=2), "report json", key)
    with st.container(horizontal=True):
        st.download_button("Report as HTML", page, "report.html", "text/html", icon=":material/description:",
                           on_click="ignore", type="primary")  # fmt: skip
        st.download_button("Report as JSON", data, "report.json", "application/json", icon=":material/data_object:",
                           on_click="ignore")  # fmt: skip


def tables(result: Result) -> None:
    """What the files hold, as far as the figures do not tell it."""
    from lab.kinds.report import CORRUPTED, REGION
    from lab.kinds.shared.setting import method_of

    data, n, method = _data(result), result.counts, method_of(result.recipe)
    scale, unit = (255, "ε · 255 (L∞)") if method.norm == "linf" else (1, "radius in L2")
    rows = []
    for name, shares in (("PGD", data["curve"]["robust"]), ("noise", data["curve"]["noise"])):
        for budget, share in zip(data["curve"]["budgets"], shares, strict=True):
            rows.append({"name": name, "budget": scale * budget, "share": share, "n": n["acc"]})
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


def _data(result: Result) -> dict[str, Any]:
    """What the JSON file holds, made once; it is not to be changed."""
    from lab.robustness_file import as_json

    return cache.kept(lambda: as_json(result), "report", cache.run_key(result.recipe.key(), result))
