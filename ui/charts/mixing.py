"""Mixers: spectra of their masks, and of networks trained with them reliability, corruptions and layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.charts import GREY, scaled
from ui.charts.curve import DASHES, SHAPES
from ui.charts.once import once


@once
def spectra(frequency: Sequence[float], power: dict[str, Sequence[float]], *, height: int = 260) -> None:
    """The share of the power of one coefficient against its frequency, a line for each kind of mask."""
    rows = [
        {"masks": name, "frequency": at, "power": share}
        for name, shares in power.items() for at, share in zip(frequency, shares, strict=True) if share > 1e-12
    ]  # fmt: skip
    alt, frame, names = _altair(rows, list(power))
    chart = _lines(
        alt, frame, "masks", names,
        alt.X("frequency:Q", title="cycles per picture", axis=alt.Axis(grid=False, values=[1, 2, 4, 8, 16]),
              scale=alt.Scale(type="log", domain=[frequency[0], frequency[-1]], nice=False)),
        alt.Y("power:Q", title="share of the power", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=4)),
    )  # fmt: skip
    said = "; ".join(f"{name}: {shares[0]:.2g} at 1 cycle, {shares[-1]:.2g} at the last"
                     for name, shares in power.items())  # fmt: skip
    st.altair_chart(chart.properties(height=scaled(height)), width="stretch", alt=f"Spectra of masks. {said}.")


@once
def reliability(diagrams: Mapping[str, Sequence[Sequence[float]]], *, height: int = 300) -> None:
    """Accuracy against confidence, a line for each network; on the grey diagonal they are the same.

    diagrams : counts, confidence and accuracy of each bin, by network; empty bins are left out
    """
    rows = [
        {"network": name, "confidence": confidence, "accuracy": accuracy, "pictures": count}
        for name, diagram in diagrams.items() for count, confidence, accuracy in zip(*diagram, strict=True) if count
    ]  # fmt: skip
    alt, frame, names = _altair(rows, list(diagrams))
    import pandas as pd

    share = alt.Scale(domain=[0, 1])
    percent = alt.Axis(format="%", tickCount=5)
    even = alt.Chart(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]})).mark_line(
        color=GREY, strokeDash=[3, 3]
    ).encode(x="confidence:Q", y="accuracy:Q")  # fmt: skip
    lines = _lines(
        alt, frame, "network", names, alt.X("confidence:Q", scale=share, axis=percent),
        alt.Y("accuracy:Q", scale=share, axis=percent), ["pictures:Q"],
    )  # fmt: skip
    st.altair_chart(
        (even + lines).properties(height=scaled(height)), width="stretch",
        alt=f"Accuracy by confidence of {', '.join(names)}; the diagonal is perfect calibration.",
    )  # fmt: skip


@once
def corruptions(shares: dict[str, dict[str, float]], *, height: int = 300) -> None:
    """Accuracy under each corruption, a mark for each network."""
    rows = [
        {"network": name, "corruption": corruption, "right": share}
        for name, found in shares.items() for corruption, share in found.items()
    ]  # fmt: skip
    alt, frame, names = _altair(rows, list(shares))
    order = list(next(iter(shares.values())))
    chart = alt.Chart(frame).mark_point(filled=True, size=90, opacity=0.85).encode(
        y=alt.Y("corruption:N", sort=order, title=None, axis=alt.Axis(grid=True)),
        x=alt.X("right:Q", title="right", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)),
        color=_colour(alt, "network", names), shape=_shape(alt, "network", names),
        tooltip=["network:N", "corruption:N", alt.Tooltip("right:Q", format=".1%")],
    )  # fmt: skip
    told = {name: ", ".join(f"{kind} {share:.0%}" for kind, share in found.items()) for name, found in shares.items()}
    said = "; ".join(f"{name}: {text}" for name, text in told.items())
    st.altair_chart(chart.properties(height=scaled(height)), width="stretch", alt=f"Right under corruptions. {said}.")


@once
def layers(names: Sequence[str], bounds: Mapping[str, Sequence[Sequence[float]]], *, height: int = 300) -> None:
    """Lower and upper bound on the information of each layer, a band with its middle for each network."""
    rows = [
        {"network": network, "layer": layer, "lower": low, "upper": high, "middle": (low + high) / 2}
        for network, (lower, upper) in bounds.items()
        for layer, low, high in zip(names, lower, upper, strict=True)
    ]  # fmt: skip
    alt, frame, networks = _altair(rows, list(bounds))
    x = alt.X("layer:N", sort=list(names), title="layer, from the input on", axis=alt.Axis(labelAngle=0))
    lines = _lines(alt, frame, "network", networks, x, alt.Y("middle:Q", title="nats"), ["lower:Q", "upper:Q"])
    bands = alt.Chart(frame).mark_area(opacity=0.12).encode(
        x=x, y=alt.Y("lower:Q", title="nats"), y2="upper:Q", color=_colour(alt, "network", networks)
    )  # fmt: skip
    said = "; ".join(f"{name}: from {lower[0]:.1f}-{upper[0]:.1f} to {lower[-1]:.1f}-{upper[-1]:.1f} nats"
                     for name, (lower, upper) in bounds.items())  # fmt: skip
    chart = (bands + lines).properties(height=scaled(height))
    st.altair_chart(chart, width="stretch", alt=f"Information by layer. {said}.")


def _altair(rows: list[dict[str, Any]], names: list[str]) -> tuple[Any, Any, list[str]]:
    import altair as alt
    import pandas as pd

    return alt, pd.DataFrame(rows), names


def _lines(alt: Any, frame: Any, by: str, names: list[str], x: Any, y: Any, more: Sequence[str] = ()) -> Any:
    """Lines that differ in colour, dash and mark."""
    dashes = alt.Scale(domain=names, range=[DASHES[place % len(DASHES)] for place in range(len(names))])
    lines = alt.Chart(frame).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=_colour(alt, by, names), strokeDash=alt.StrokeDash(f"{by}:N", scale=dashes, legend=None)
    )  # fmt: skip
    dots = alt.Chart(frame).mark_point(filled=True, size=50, opacity=1).encode(
        x=x, y=y, color=_colour(alt, by, names), shape=_shape(alt, by, names),
        tooltip=[f"{by}:N", *more, *_fields(x, y)],
    )  # fmt: skip
    return lines + dots


def _fields(*channels: Any) -> list[Any]:
    import altair as alt

    numbers, words = ([each.shorthand for each in channels if each.shorthand.endswith(end)] for end in (":Q", ":N"))
    return [*words, *(alt.Tooltip(each, format=".3g") for each in numbers)]


def _colour(alt: Any, by: str, names: list[str]) -> Any:
    return alt.Color(f"{by}:N", sort=names, scale=alt.Scale(domain=names), legend=_legend(alt))


def _shape(alt: Any, by: str, names: list[str]) -> Any:
    scale = alt.Scale(domain=names, range=[SHAPES[place % len(SHAPES)] for place in range(len(names))])
    return alt.Shape(f"{by}:N", sort=names, scale=scale, legend=_legend(alt))


def _legend(alt: Any) -> Any:
    """The same for colour and shape, so that they share one: marks, above the chart, as many abreast as a phone has
    room for."""
    return alt.Legend(title=None, orient="top", direction="horizontal", columns=2, labelLimit=150)
