"""Charts, one per file. Lines differ by dash, bars by label: colour is never the only cue."""

from typing import Any

from ui import present

GREY = "#808891"
"""Of marks and words beside the data: a middle grey reads on both backgrounds, which a text colour would not follow."""

LARGER = 1.3


def scaled(pixels: int) -> int:
    """A height or a font size in pixels, as large as whoever looks at the chart needs it: larger for a projector."""
    return round(LARGER * pixels) if present.on() else pixels


def line_legend(**more: Any) -> Any:
    """A legend of lines: strokes long enough to show their dashes, and wide as the lines."""
    import altair as alt

    return alt.Legend(title=None, symbolType="stroke", symbolSize=700, symbolStrokeWidth=2.5, symbolOpacity=1, **more)


def specification(chart: Any) -> dict[str, Any]:
    """A chart of named data as what Streamlit sends beside them: a chart that can be clicked is sent at each run, and
    building its specification takes longer than all else about it."""
    return {name: part for name, part in chart.to_dict().items() if name not in ("config", "data")}
