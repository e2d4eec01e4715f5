"""Weights: write a backdoor into a finished model, each weight within a box around its value."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "weights",
    "**Watch** a trigger being written into a finished, clean model, each weight within a box, and what it changes.",
)

from ui import cache, fallback_model, sidebar, texts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.charts.weights import relative  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.texts import answers  # noqa: E402
from ui.views import moments  # noqa: E402
from ui.widgets import figures, knobs, link  # noqa: E402

choice = fallback_model.clean(page.choice)
with sidebar.ready():
    model = cache.model(choice)
    from core.attacks import WeightBackdoor
    from core.defenses import TSBD
    from core.triggers import SIG, BadNets, Blended, WaNet
    from lab import links, methods
    from lab.recipes import Recipe
    from lab.settings import settings

known = {cls.__name__: cls for cls in (BadNets, Blended, SIG, WaNet)}
controls, stage = page.columns()

with controls:
    method = knobs.controls(WeightBackdoor)
    with st.expander("Trigger and target", icon=":material/bolt:"):
        trigger = knobs.controls(known[link.choose("Trigger", list(known), key="trigger")])
        target = link.whole("Target class", 0, len(model.class_names) - 1, 0, key="target")
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed")
    st.caption(f"The trigger will lead to **{model.class_names[target]}**.")
    inputs = {"n": settings.control_n, "target": target, "trigger": methods.to_dict(trigger)}
    with in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
    page.start(recipe, "Inject")

with sidebar.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """Progress, the scores, the curve, how far the weights moved, and the picture before and now."""
    page.progress(job, recipe, "The model as it is. Press **Inject**.")
    page.figures(job, asked=recipe)
    result = finished(job)
    left, right = st.columns([1.35, 1], gap="small")
    with left:
        if job is not None:
            curve(job.curve, page.kind.scores, height=240 if result else 360)
        if result is not None:
            middle, mean = result.figures["report/relative/50"], result.figures["report/relative/mean"]
            relative(result.images["histogram"].tolist(), result.images["histogram/edges"].tolist(), middle, height=150)
            st.caption(
                f"Median change {figures.percent(middle)}, mean {figures.percent(mean)} of a weight's size; "
                f"largest change of a weight {result.figures['report/change/linf']:.4f}."
            )
    with right:
        moments.before_and_now(page, "the injection", recipe, model, pictures, job)


with stage:
    page.watch(live)

page.ask("How much accuracy will the injection cost?", answers.COST, page.answer("cost"))
if page.result is not None:
    chain = Recipe(TSBD(), recipe, choice.data, {"n": settings.control_n})
    st.page_link(
        "compare.py", label="Can TSBD remove it again?", icon=":material/balance:",
        query_params={"v": "1", "recipe": chain.to_json()},
    )  # fmt: skip
page.end(
    recipe,
    texts.of("WeightBackdoor"),
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "trigger": type(trigger).__name__,
        "target": str(target), "seed": str(seed), **links.of_knobs(method), **links.of_knobs(trigger),
    },
)  # fmt: skip
