"""Flatness: how much the loss rises when the weights move, what rescaling does to a measure, and a family of nets."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "flatness",
    "**Watch** how the robust loss rises when all weights move. Then rescale the network: the function stays the same.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts import flatness as charts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import family, under_attack  # noqa: E402
from ui.widgets import knobs, link, measured_pictures  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model(choice)
    from lab.recipes import Recipe

SHOWN = {"Rescaling": ("flatness", "absolute", "trace")}
controls, stage = page.columns()

with controls:
    name = link.choose(
        "Measure", list(page.methods), key="method",
        help="At random, at worst, or both writings of the same function side by side.",
    )  # fmt: skip
    method = knobs.controls(page.methods[name])
    inputs, seed = measured_pictures.controls(256, "the weights")
    with in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
    page.start(recipe, "Measure")


with sidebar.ready():
    pictures = under_attack.views(choice)


def live(job):
    """Progress, the scores, and each draw; of a rescaling each measure before and after."""
    page.progress(job, recipe, "Press **Measure**: every draw is another network, attacked anew.")
    kind = type((job.recipe if job else recipe).method).__name__
    page.figures(job, asked=recipe, only=SHOWN.get(kind, ("flatness", "reference", "still_right")))
    result = finished(job)
    if job is None:
        under_attack.row(page.show(pictures))
    elif result is None:
        curve(job.curve, page.kind.scores, height=260)
    elif kind == "Rescaling":
        charts.rescaled(*family.moves(result), height=390)
    else:
        found = result.figures
        interval = [found["low"], found["high"]] if "low" in found else None
        word = "try" if kind == "WorstFlatness" else "draw"
        charts.draws(result.images["draws"].tolist(), found["flatness"], interval, word, height=190)
        band = "; the band is the 95 % interval of the mean" if interval else ""
        st.caption(f"One point is one {word}; the line is what counts{band}. Height says nothing.")


with stage:
    page.watch(live)

if name == "Rescaling":
    page.ask("Which measures move, although the function stays the same?",
             {"ours still": "The absolute ball and the trace", "all still": "None", "moved": "All of them"},
             page.answer())  # fmt: skip
else:
    page.ask("How far will the loss rise, beside the loss as it is?",
             {"falls": "It falls", "a tenth": "By up to a tenth", "a half": "By up to a half",
              "doubles": "By up to its size", "more than doubles": "By more"}, page.answer("size"))  # fmt: skip
page.end(recipe, texts.of(name), extra={"images": str(choice.index)})
family.block(choice)
