"""Trust: what a heatmap does when the weights are destroyed, when pixels go, and when a trigger decides."""

import dataclasses
from typing import Any

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "trust",
    "**Watch** what is left of a heatmap once the weights behind it are random. A map that stays the same explains "
    "nothing.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import heatmaps  # noqa: E402
from ui.views import trust as views  # noqa: E402
from ui.widgets import images, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model_and_picture(choice)
    from core.explain import CAM, EXPLAINERS, TrustTests
    from lab import links
    from lab.recipes import Recipe

SAID, known = "what the model says", {cls.__name__: cls for cls in EXPLAINERS}
OTHERS = {"quick": "the quick methods", "all": "all methods", "none": "no other method"}
controls, stage = page.columns()

with controls:
    name = link.choose("Method", list(known), key="method")
    layer = ""
    if issubclass(known[name], CAM):
        with sidebar.ready():
            layer = link.choose("Layer", heatmaps.layers(choice, model), key="layer", help="Where a CAM takes its map.")
    button = st.container()  # above what is set less often
    explainer: Any = knobs.controls(known[name], without=["layer"])
    explainer = dataclasses.replace(explainer, layer=heatmaps.layer_of(layer)) if layer else explainer
    tests = knobs.controls(TrustTests, base=TrustTests(explainer=explainer))
    others = link.choose("Beside it", list(OTHERS.values()), key="others", help="Further rows of the table.")
    n = st.select_slider("Pictures", [8, 16, 24, 64, 200], 24, key="n", help="Of the table.", **link.BOUND)
    explained = link.choose("Class", [SAID, *model.class_names], key="explained", help="Of the chosen picture's map.")
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws random weights, orders and changes.")
    inputs = {"images": choice.images, "n": n, "others": next(key for key in OTHERS if OTHERS[key] == others)}
    target = None if explained == SAID else model.class_names.index(explained)
    with button, in_a_sentence():
        inputs |= {} if target is None else {"target": target}
        recipe = Recipe(tests, choice.model, choice.data, inputs, seed)
        page.start(recipe, "Test it")


def live(job):
    """Progress, then what is there: the weights drawn anew, the curves, the trigger, and the table as it grows."""
    page.progress(job, recipe, "Press **Test it**: the map is tested, and held against maps that look at no network.")
    if not (found := views.shown(job)):
        if job is None or job.state != "failed":
            with in_a_sentence(stop=False):
                seen = page.show(views.before(choice, explainer, target))
                images.row(seen, columns=4)
                if len(seen) > 1:  # a slow method has no map yet
                    st.caption("One map on two scales. From minimum to maximum even a map without evidence is bright.")
        return
    page.figures(job, asked=recipe)
    page.show(views.cascade(job, found))
    st.subheader("Pixels in the map's order", anchor=False)
    views.curves(found)
    if (result := finished(job)) is not None:
        st.subheader("A trigger decides. Does the map say so?", anchor=False)
        views.trigger(result, page.answer("trigger"))
    st.subheader("Beside other methods, and maps that look at no network", anchor=False)
    views.table(job, found)


with stage:
    page.watch(live)

page.ask(
    "How alike will the maps be once all weights are random?",
    {"changes": "Hardly", "in part": "In part", "stays": "Much the same"}, page.answer(),
)  # fmt: skip
page.end(
    recipe, texts.of("TrustTests"), also=[texts.of(name)],
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "seed": str(seed), "n": str(n),
        "method": name, "others": others, "explained": explained, **({"layer": layer} if layer else {}),
        **links.of_knobs(explainer), **links.of_knobs(tests),
    },
)  # fmt: skip
views.shipped()
