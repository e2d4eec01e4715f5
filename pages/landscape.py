"""Landscape: the robust loss around a network's weights, along lines or over a plane, attacked anew at every point."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "landscape",
    "**Watch** the loss around the weights take shape, from coarse to fine. Each point is another network, attacked "
    "anew.",
)

from ui import cache, second_model, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import landscape as views  # noqa: E402
from ui.views import under_attack  # noqa: E402
from ui.widgets import knobs, link, measured_pictures  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.flatness import Landscape
    from lab.recipes import Recipe

controls, stage = page.columns()

with controls:
    method = knobs.controls(Landscape)
    other = second_model.draw(choice, model)
    inputs, seed = measured_pictures.controls(64, "the directions")
    with in_a_sentence():
        second = {"other": other} if other else {}
        recipe = Recipe(method, choice.model, choice.data, inputs | second, seed)
    page.start(recipe, "Map")

with stage:
    kept = st.toggle(
        "Re-use the examples of α = 0", key="kept", **link.BOUND,
        help="The adversarial examples that were found for the network as it is are shown to every other network, too.",
    )  # fmt: skip
    plane = isinstance(method, Landscape) and method.shape == "plane"
    how = link.pick("View", ["heat map", "surface"], "heat map", key="how") if plane else ""


with sidebar.ready():
    pictures = under_attack.views(choice)


def live(job):
    """Progress, the scores, and what is known of the landscape."""
    page.progress(job, recipe, "Press **Map**, and watch the points come in.")
    page.figures(job, asked=recipe, only=views.scores(job, recipe))
    if job is None:
        under_attack.row(page.show(pictures))
    else:
        views.draw(job, kept, how)


with stage:
    page.watch(live)

ANSWERS = {
    "half": "Half as much or less", "some": "Somewhat less", "nothing": "As much, or more",
}  # fmt: skip
page.ask("By how much does the loss seem to rise if the examples of α = 0 are used everywhere?", ANSWERS,
         page.answer("examples"))  # fmt: skip
page.end(recipe, texts.of("Landscape"), extra={"images": str(choice.index), "kept": str(kept).lower()}
         | ({"how": how} if how else {}))  # fmt: skip
