"""The figures of a page: a share with its change, its n and its 95 % interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from lab.results import Result

WORDS = {"acc": "Accuracy (ACC)", "asr": "Attack success (ASR)", "ra": "Still right (RA)"}
HELP = {
    "acc": "Share of the clean test pictures that the model gets right. A repair should not lower it.",
    "asr": "Share of the triggered pictures (own class not the target) that the model takes for the target.",
    "ra": "Share of the same triggered pictures that the model still gets right. With low ASR and low RA it is broken.",
}


def share(
    label: str, value: float | None, n: int | None, *, before: float | None = None, good: str = "up", help: str = ""
) -> None:
    """One share as a metric: value in percent, change in percentage points against `before`, n beside it.

    good : "up", "down" or "neither", which way a change is welcome.
    """
    if value is None or math.isnan(value):
        st.metric(label, "–", border=True, help=help or None)
        return
    note = f"n = {n}" if n else ""
    told = " ".join(filter(None, (help, interval(value, n)))) or None
    if before is None or math.isnan(before):
        st.metric(label, percent(value), note or None, delta_color="off", delta_arrow="off", border=True, help=told)
        return
    points = 100 * (value - before)
    colour: Any = {"up": "normal", "down": "inverse"}.get(good, "off") if abs(points) >= 0.05 else "off"
    # n stands in the change itself: what stands beside it is hidden where there is little room.
    change = ", ".join(filter(None, (f"{points:+.1f} pp", note)))
    arrow: Any = "auto" if abs(points) >= 0.05 else "off"
    st.metric(label, percent(value), change, delta_color=colour, delta_arrow=arrow, border=True, help=told)


def number(label: str, value: float | None, n: int | None, *, before: float | None = None, help: str = "") -> None:
    """A figure that is no share, such as an area, with three decimals, its change against `before` and its n."""
    if value is None or math.isnan(value):
        st.metric(label, "–", border=True, help=help or None)
        return
    change = "" if before is None or math.isnan(before) else f"{value - before:+.3f}"
    note = ", ".join(filter(None, (change, f"n = {n}" if n else "")))
    arrow: Any = "auto" if change else "off"
    colour: Any = "normal" if change else "off"
    st.metric(
        label, f"{value:.3f}", note or None, delta_color=colour, delta_arrow=arrow, border=True, help=help or None
    )


def percent(value: float) -> str:
    """ "93.4 %"."""
    return f"{100 * value:.1f} %"


def interval(value: float, n: int | None) -> str:
    """The 95 % Wilson interval in words, or nothing where n is unknown."""
    if not n:
        return ""
    from core.metrics import wilson

    low, high = wilson(value, n)
    return f"95 % interval: {percent(low)} to {percent(high)} (n = {n})."


def repair(now: dict[str, float], before: dict[str, float], counts: dict[str, int]) -> None:
    """The three figures of a defense side by side: ACC, ASR, RA and how they moved."""
    with three():
        for name, good in zip(WORDS, ("up", "down", "up"), strict=True):
            share(
                WORDS[name], now.get(name), counts.get(name), before=before.get(name), good=good,
                help=f"{HELP[name]} The change is against the model as it was.",
            )  # fmt: skip


def trigger_controls(found: dict[str, float], counts: dict[str, int]) -> str:
    """What the controls of a trigger say, in a sentence each; nothing where it has none."""
    told = []
    if (bright := found.get("brightened/asr")) is not None:
        told.append(
            f"Pictures that are only as bright reach the target in {percent(bright)} of the cases "
            f"(n = {counts['brightened/asr']})."
        )
    if (cross := found.get("cross_acc")) is not None:
        told.append(
            "Under a wrong trigger of the same kind (noise on the warp, or the pattern of another picture) "
            f"{percent(cross)} keep their true class (n = {counts['cross_acc']})."
        )
    return " ".join(told)


def three() -> Any:
    """A row for three figures; on a phone two stand side by side."""
    return st.grid(3, min_column_width=150, gap="small")


def moment(result: Result, name: str) -> dict[str, float]:
    """acc, asr and ra of one moment of a result: "before", "after" or "clean_model"."""
    return {figure: result.figures[f"{name}/{figure}"] for figure in WORDS if f"{name}/{figure}" in result.figures}
