"""Robustness report: how robust the chosen model is, from five sides, as a file that stands alone."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "report",
    "**Watch** a model be attacked from five sides. What comes out is a file, with every n, seed and version.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import report as views  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model_and_picture(choice)
    from core.attacks import RobustnessReport
    from lab.recipes import Recipe

controls, stage = page.columns()
with controls:
    main, action, rest = st.container(), st.container(), st.container()
    with main:
        method = knobs.controls(RobustnessReport, folded=rest)
        n = st.select_slider("Test pictures", [50, 100, 200, 500, 1000], 200, key="n", **link.BOUND,
                             help="Of all sides but AutoAttack.")  # fmt: skip
    with rest:
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws attacks, corruptions and regions.")
    with action, in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, {"n": n}, seed)
        page.start(recipe, "Write report")


def live(job):
    """Progress, and the scores."""
    page.progress(job, recipe, "Press **Write report**: curve, AutoAttack, corruptions, regions.")
    page.figures(job, asked=recipe)


with stage:
    page.watch(live)
    if (result := page.result) is not None:
        views.files(result)
        views.tables(result)

page.ask(
    "How much of its accuracy will AutoAttack leave?",
    {"fragile": "Less than a tenth", "in part": "Less than half", "robust": "Half or more"}, page.answer(),
)  # fmt: skip
page.end(recipe, texts.of("RobustnessReport"))
