"""What a regional run has beside its pictures: other models' answers, frequencies, and what two details change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import cache, my_models, recent
from ui.charts.transfer import transfer as transfer_chart
from ui.widgets import images
from ui.widgets.images import View

if TYPE_CHECKING:
    from lab.results import Result
    from models import Classifier
    from ui.sidebar import Choice

FAMILIES = {
    "square": "A square in the middle may change.",
    "frame": "A frame along the border may change.",
    "random": "Pixels drawn at random may change.",
    "attention": "The pixels may change where the model's own heatmap (Grad-CAM) is largest.",
    "unattended": "The pixels may change where the model's own heatmap (Grad-CAM) is smallest: the anti-heatmap.",
    "drawn": "The cells that you mark may change.",
    "global": "Every pixel may change, so that there is no region.",
}
"""What each family of regions is, in words."""

NOTES = ("labels", "judge_size", "unresized", "left out")
"""Notes of a run that are shown as they are."""


def others(choice: Choice, model: Classifier, judge: str, count: int) -> list[str]:
    """Models that the examples are tried on: those of the link, of this visit, then shipped ones of the same data."""
    from lab.transfer_models import names

    linked = [ref for ref in st.query_params.get("judges", "").split(",") if ref.startswith(("zoo:", "hf:", "run:"))]
    known = [*linked, *my_models.options(None), *recent.of("model")]
    return [ref for ref in names(model, known) if ref not in (judge, choice.model)][:count]


def notes(result: Result) -> None:
    """What belongs to the figures in words."""
    from lab.kinds.shared.regional_outcomes import resized

    said = [f"{name.capitalize().replace('_', ' ')}: {result.notes[name]}." for name in NOTES if name in result.notes]
    if told := " ".join(filter(None, [*said, resized(result)])):
        st.caption(told)


def transfer(result: Result) -> None:
    """A table of the three examples against the source, the judge and other models."""
    from lab.kinds.shared.regional import EXAMPLES
    from lab.kinds.shared.regional_outcomes import elsewhere

    refs = result.notes["models"].split(", ")
    roles = {refs[0]: "source"}
    roles |= {ref: "judge" for ref in [result.notes.get("judged by", refs[0])] if ref != refs[0]}
    named = [_called(ref) + (f", {roles[ref]}" if ref in roles else "") for ref in refs]
    transfer_chart(result.images["transfer"].tolist(), result.images["transfer/n"].tolist(), EXAMPLES, named)
    if said := elsewhere(result):
        st.markdown(said)
    st.caption(
        "Share of the pictures that the source and the model of the line both get right: the same ones in all three "
        "columns, whether an attack succeeded on them or not. Both attacks stop as soon as "
        f"the {'judge' if len(roles) > 1 else 'source'} is fooled. The noise is the regional change with random signs."
    )


def _called(ref: str) -> str:
    from lab import run_names

    return my_models.label(ref) if run_names.is_run(ref) else ref.split("@")[0].removeprefix("zoo:")


def spectra(result: Result) -> None:
    """The log-amplitude spectra of the changes on one scale, and how much of their energy is fine detail."""
    if "spectra" not in result.images:
        st.caption("No picture is fooled by both attacks, so there are no changes to compare.")
        return
    from core.metrics.spectrum import WHITE

    images.row(cache.kept(lambda: _spectra(result), "spectra", result.recipe.key()), columns=3)
    images.key("Log amplitude, one scale for all three, frequency 0 in the middle; the mean over channels, pictures.")
    st.caption(
        f"n = {result.counts['fine']}, pictures that both attacks fool. Fine: the share of the energy at frequencies "
        f"above half the Nyquist frequency; of white noise it is {WHITE:.0%} on average."
    )


def _spectra(result: Result) -> list[View]:
    from core.explain.heatmaps.display import colour
    from lab.kinds.shared.regional import EXAMPLES

    values = result.images["spectra"]
    low, high = float(values.quantile(0.01)), float(values.max())
    drawn = colour((values - low) / max(high - low, 1e-12))
    shares = [result.figures[f"{head}fine"] for head in ("", "global/", "control/")]
    return [
        View(images.pixels(each.float()), f"{name}  \n**{share:.0%} fine**",
             f"Spectrum of the change, {name}: {share:.0%} of its energy above half the Nyquist frequency")
        for name, each, share in zip(EXAMPLES, drawn, shares, strict=True)
    ]  # fmt: skip


def loading(result: Result) -> None:
    """What dividing by 224 in place of 255, as the authors' code does, would add to this run's norms."""
    if "slip/l0" not in result.figures:
        return
    rows = {"this run, region": "", "loading with 224, no attack": "slip/", "both": "slipped/"}
    with st.expander("A detail of the authors' code: division by 224", icon=":material/brightness_high:"):
        table = [
            {"change": name, "L0, share of pixels": result.figures[f"{head}l0"], "L2": result.figures[f"{head}l2"],
             "L∞": result.figures[f"{head}linf"], "n": result.counts[f"{head}l0"]}
            for name, head in rows.items() if f"{head}l0" in result.figures
        ]  # fmt: skip
        share, number = st.column_config.NumberColumn(format="percent"), st.column_config.NumberColumn(format="%.3f")
        st.dataframe(table, hide_index=True, column_config={
            "L0, share of pixels": share, "L2": number, "L∞": number,
        })  # fmt: skip
        st.caption(
            "The released code divides bytes by 224, so values reach 1.138, and its first clamp to [0, 1] darkens "
            "every bright pixel, also outside the region. Norms that are measured so hold that change as well. The lab "
            "divides by 255; the last line is this run's attack, measured as if it had been loaded with 224."
        )
