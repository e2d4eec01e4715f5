"""The figures of a page: a score with its change, its n and, for a share, its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from lab.kinds.shared.words import FEW, percent
from lab.kinds.shared.words import share as told_share

if TYPE_CHECKING:
    from lab.kinds.kind import Score

NARROWEST = 115
"""Pixels that a metric needs for its value, "100.0 %"."""


def row(
    scores: Sequence[Score], found: Mapping[str, float], counts: Mapping[str, int], *, faded: bool = False
) -> None:
    """Each score as a metric: up to four abreast, more in two rows; on a phone two abreast.

    A score that is compared shows what it is compared with while it has no figure of its own yet. `faded` figures are
    those of other settings than the page's.
    """
    abreast = len(scores) if len(scores) <= 4 else math.ceil(len(scores) / 2)
    with st.grid(max(1, abreast), min_column_width=NARROWEST, gap="xsmall"):
        for score in scores:
            base = score.at(score.against) if score.against else ""
            now = score.figure if score.figure in found else base
            metric(score, found.get(now), counts.get(now), before=start(score, found, counts), faded=faded)


MOMENTS = {"before": "Before", "clean_model": "Clean model"}
"""What a score is compared with, in words."""


def compared(scores: Sequence[Score], found: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """What the changes are against, where it is not shown itself: "Before: Accuracy 97.2 %."; "" where nothing is."""
    shown, told = {score.figure for score in scores}, []
    for moment, word in MOMENTS.items():
        values = [
            f"{score.label} {_told(score, before, counts.get(score.at(moment)))}"
            for score in scores
            if score.against == moment and score.at(moment) not in shown
            and (before := start(score, found, counts)) is not None
        ]  # fmt: skip
        if values:
            told.append(f"{word}: {', '.join(values)}.")
    return " ".join([*told, "The changes are over the same pictures."]) if told else ""


def start(score: Score, found: Mapping[str, float], counts: Mapping[str, int]) -> float | None:
    """What a score's figure is compared with; None where it has none, or none over as many pictures."""
    base = score.at(score.against) if score.against else ""
    same = score.figure in found and counts.get(base) == counts.get(score.figure)
    return found.get(base) if same else None


def _told(score: Score, value: float, n: int | None) -> str:
    return told_share(value, n) if score.unit == "%" else score.text(value)


def metric(
    score: Score, value: float | None, n: int | None = None, *, before: float | None = None, faded: bool = False
) -> None:
    """One score: a share in percent with its change in points, another number with three decimals."""
    if score.unit == "%":
        share(score.label, value, n, before=before, good=score.better, help=score.help, faded=faded)
    else:
        number(score.label, value, n, before=before, good=score.better, help=score.help, unit=score.unit, faded=faded)


def share(
    label: str, value: float | None, n: int | None, *, before: float | None = None, good: str = "", help: str = "",
    faded: bool = False,
) -> None:  # fmt: skip
    """One share as a metric: value in percent, change in percentage points against `before`, n beside it.

    Below `FEW` pictures both are counts, "3 of 4" and "-1 picture". `good` is "up", "down" or "" for neither, which
    way a change is welcome.
    """
    if value is None or math.isnan(value):
        st.metric(label, "–", help=help or None)
        return
    told = " ".join(filter(None, (help, interval(value, n)))) or None
    change = None if before is None or math.isnan(before) else value - before
    few = n is not None and 0 < n < FEW
    moved = None if change is None else _pictures(round(change * (n or 0))) if few else f"{100 * change:+.1f} pp"
    note = [moved] if few else [moved, f"n = {n}" if n else None]
    least = 0.5 / n if few and n else 0.0005
    _metric(label, told_share(value, n), note, change, least, good, told, faded)


def number(
    label: str, value: float | None, n: int | None, *, before: float | None = None, good: str = "", help: str = "",
    unit: str = "", faded: bool = False,
) -> None:  # fmt: skip
    """A figure that is no share, such as a loss, with three decimals, its unit, its change against `before`, its n."""
    if value is None or math.isnan(value):
        st.metric(label, "–", help=help or None)
        return
    change = None if before is None or math.isnan(before) else value - before
    note = [None if change is None else f"{change:+.3f}", f"n = {n}" if n else None]
    _metric(label, f"{value:.3f} {unit}".rstrip(), note, change, 0.0005, good, help or None, faded)


def _pictures(change: int) -> str:
    return f"{change:+d} picture{'' if abs(change) == 1 else 's'}"


def _metric(
    label: str, value: str, note: Sequence[str | None], change: float | None, least: float, good: str,
    help: str | None, faded: bool,
) -> None:  # fmt: skip
    """The metric: n stands in the change itself, since what stands beside it is hidden where there is little room."""
    moved = change is not None and abs(change) >= least and not faded
    colour: Any = {"up": "normal", "down": "inverse"}.get(good, "off") if moved else "off"
    st.metric(
        label, f":gray[{value}]" if faded else value, ", ".join(filter(None, note)) or None,
        delta_color=colour, delta_arrow="auto" if moved else "off", help=help,
    )  # fmt: skip


def interval(value: float, n: int | None) -> str:
    """The 95 % Wilson interval in words, or nothing where n is unknown."""
    if not n:
        return ""
    from core.metrics import wilson

    low, high = wilson(value, n)
    return f"95 % interval: {percent(low)} to {percent(high)} (n = {n})."


def trigger_controls(found: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """What the controls of a trigger say, in a sentence each; nothing where it has none."""
    told = []
    if (bright := found.get("brightened/asr")) is not None:
        told.append(
            f"Pictures brightened evenly by as much reach the target in {percent(bright)} of the cases "
            f"(n = {counts['brightened/asr']})."
        )
    if (cross := found.get("cross_acc")) is not None:
        told.append(
            "Under a wrong trigger of the same kind (noise on the warp, or the pattern of another picture) "
            f"{percent(cross)} keep their true class (n = {counts['cross_acc']})."
        )
    return " ".join(told)
