"""The family of nets on the Flatness page: its scatter, how a measure orders it, and the net that was clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import cache, sidebar
from ui.charts import flatness as charts
from ui.charts import landscape
from ui.looks import Look, look, tensors
from ui.widgets import images, link
from ui.widgets.images import View

if TYPE_CHECKING:
    from lab.results import Result
    from ui.sidebar import Choice

CHART, NET = "flatness-family", "net"
EPS, STEPS = 8 / 255, 10


def moves(result: Result) -> tuple[dict[str, tuple[float, float]], dict[str, str]]:
    """Each measure of a rescaling before and after it, by its label, and its unit."""
    labels = {score.key: score for score in result.recipe.kind.scores}
    found = {
        "Relative ball" if key == "flatness" else labels[key].label: key for key in ("flatness", "absolute", "trace")
    }
    units = {label: labels[key].unit for label, key in found.items()}
    figures = result.figures
    return {label: (figures[f"before/{key}"], figures[key]) for label, key in found.items()}, units


def block(choice: Choice) -> None:
    """Every net that was measured, by two measures, and the one that is chosen close up."""
    from lab import flatness_family as table

    st.header("Over a family of nets", anchor=False)
    sets = table.data_sets()
    if not sets:
        st.info(
            "No family has been measured yet: there is no stored table. `python -m bench.flatness` measures every "
            "plain and robust net of the zoo.", icon=":material/info:",
        )  # fmt: skip
        return
    one, two, three = st.columns(3, vertical_alignment="bottom")
    with one:
        data = link.choose("Nets on", sets, key="nets", help="The data set that they were trained on.")
    with two:
        measure = link.choose("Flatness", list(table.MEASURES), key="measure", help="How each net is measured.")
    with three:
        against = link.choose("Against", list(table.AGAINST), key="against", help="gap: training less test pictures.")
    found = table.family(data)
    names = [row["net"] for row in found.rows]
    chosen: str = st.session_state.get(NET, "")
    chosen = chosen if chosen in names else names[0]

    def picked() -> None:
        """The net that was clicked becomes the chosen one."""
        if net := charts.clicked(CHART):
            st.session_state[NET] = net

    titles = table.MEASURES | table.AGAINST
    charts.family(found.rows, measure, against, titles, found.units, chosen, key=CHART, picked=picked)
    st.markdown(cache.kept(lambda: table.said(found.correlation(measure, against), measure, against), "rank", found,
                           measure, against))  # fmt: skip
    st.caption(f"{found.behind} Click a net.")
    _close_up(found.rows[names.index(chosen)], data, choice, table.curves().get(chosen))


def _close_up(row: dict, data: str, choice: Choice, curve: dict | None) -> None:
    """One net: a slice of its landscape, and a picture as it sees it, plain and attacked."""
    net = row["net"]
    st.markdown(
        f"**{net}**: robust loss {row['robust loss']:.2f} nats, right under attack {row['robust']:.1%} (training "
        f"pictures {row['robust, train']:.1%}), average-case flatness {row['average']:+.2f} nats."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        if curve is not None:
            landscape.lines(curve["alphas"], {net: [curve["loss"]]}, {net: [curve["fixed"]]}, "robust loss", height=230)
            st.caption(f"A slice of its landscape, {curve['n']} test pictures; dashed: the examples of α = 0 kept.")
    with right, sidebar.ready():
        index = 0 if choice.upload else choice.index
        images.row(_attacked(f"zoo:{net}", data, index), columns=3)
        st.caption(f"Test picture {index} of {data}: heatmaps on one scale, PGD with ε = 8/255 and {STEPS} steps.")


def _attacked(ref: str, data: str, index: int) -> list[View]:
    """Heatmaps of a test picture and of the same under attack, and the change."""
    from models import shipped

    cache.bring(data)
    card = shipped(ref)
    return cache.kept(lambda: _views(*_seen(ref, data, index)), "family", ref, card and card.sha, data, index)


def _seen(ref: str, data: str, index: int) -> tuple[Look, str]:
    import torch

    from core.attacks import PGD
    from core.runs import finish
    from lab import loading
    from lab.kinds.shared.pictures import chosen
    from lab.running.compute_lock import compute_lock

    model = loading.classifier(ref)
    with compute_lock:
        batch = chosen(model, data, [index])
        attack = PGD(eps=EPS, steps=STEPS, stop_early=False)
        found = finish(attack.run(model, batch.data.pixels, batch.labels, seed=0))
        both = torch.cat((batch.data.pixels, found.images))
        return look(model, both, "GradCAM"), batch.data.class_names[int(batch.labels[0])]


def _views(seen: Look, label: str) -> list[View]:
    drawn, _ = images.heat(*tensors(seen), reference=1)
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    return [
        View(drawn[0], f"true class {label}  \n**{seen.says(0)}**", f"Heatmap of the picture: {seen.says(0)}"),
        View(drawn[1], f"attacked  \n**{seen.says(1)}**", f"Heatmap of the attacked picture: {seen.says(1)}"),
        View(images.pixels(change), f"the change, ×{factor}", f"The change, magnified {factor} times"),
    ]
