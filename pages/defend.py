"""Defend: repair a backdoored model and watch accuracy and attack success move while it happens."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "defend",
    "**Watch** whether attack success (ASR) falls and accuracy (ACC) stays. The defense sees clean pictures only.",
    "**Watch** what a repair does to a model without a known backdoor: the accuracy (ACC) that it costs is a control.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts.confusion import confusion  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.texts import answers  # noqa: E402
from ui.views import inversion, moments  # noqa: E402
from ui.widgets import clean_model, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.networks.report import report_of
    from lab.kinds.shared.scoring import ACCURACY
    from lab.recipes import Recipe
    from lab.settings import settings

clean = clean_model.notice(page, model)
controls, stage = page.columns()

with controls:
    names = list(page.methods)
    name = link.choose("Defense", names, index=names.index("TSBD"), key="method")
    method = knobs.controls(page.methods[name])
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Same seed, same machine, same result.")
    with in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, {"n": settings.control_n}, seed)
    page.start(recipe)

with sidebar.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """Progress, the scores, the curve, the picture before and now."""
    page.progress(job, recipe, "The model as it is. Press **Start**: the curve grows, and the heatmaps follow.")
    page.figures(job, cache.card_figures(model), asked=recipe, only=ACCURACY if clean else ())
    left, right = st.columns([1.35, 1], gap="small")
    with left:
        curve(job.curve if job else [], page.kind.scores, height=360)
    with right:
        moments.before_and_now(page, "the defense", recipe, model, pictures, job)


with stage:
    page.watch(live)

result = page.result
if result is not None:
    st.page_link(
        "compare.py", label="Compare with a clean model and with other runs", icon=":material/balance:",
        query_params={"v": "1", "recipe": result.recipe.to_json()},
    )  # fmt: skip
    if "masks" in (found := report_of(result.model)) and "norms" in found:
        inversion.patches(found, model.class_names)
    suffix = "/triggered" if "confusion/before/triggered" in result.images else ""
    if f"confusion/before{suffix}" in result.images:
        st.header("What the model says about each class" + (", with the trigger" if suffix else ""), anchor=False)
        for column, moment in zip(st.columns(2), ("before", "after"), strict=True):
            with column:
                confusion(result.images[f"confusion/{moment}{suffix}"].tolist(), model.class_names, moment.capitalize())

ANSWERS = {"falls": "Below 10 %", "in part": "Falls, but not below 10 %", "stays": "Keeps three quarters or more"}
if clean:
    page.ask("How much accuracy will the repair cost?", answers.COST, page.answer("cost"))
else:
    page.ask("What will happen to the attack success?", ANSWERS, page.answer("attack"))
page.end(recipe, texts.of(name), extra={"images": str(choice.index)})
