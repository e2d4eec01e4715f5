"""Detect: find triggered pictures without knowing the trigger, and see how often that goes wrong."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "detect",
    "**Watch** two score distributions, clean and triggered. A detector works where they separate, and only there.",
    "**Watch** two score distributions, clean and triggered, of a model without a known backdoor: the control.",
)

from ui import cache, looks, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import detector  # noqa: E402
from ui.widgets import clean_model, images, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from lab.recipes import Recipe
    from lab.settings import settings

clean = clean_model.notice(page, model)
SHARES = {"as trained": None, "10 %": 0.1, "5 %": 0.05, "2 %": 0.02, "1 %": 0.01}
controls, stage = page.columns()

with controls:
    name = link.choose(
        "Detector", list(page.methods), key="method",
        help="STRIP judges single inputs; the other two search a training set by its given labels.",
    )  # fmt: skip
    inputs: dict = {"n": min(400, settings.control_n)}
    in_training = getattr(page.methods[name], "suspects", "") == "training data"
    if in_training:
        inputs["n"] = 5 * settings.control_n
        rate = link.choose(
            "Poisoned share", list(SHARES), key="poison",
            help="How much of the training set carries the trigger. The model stays as it was trained.",
        )  # fmt: skip
        inputs |= {"rate": SHARES[rate]} if SHARES[rate] else {}
    method = knobs.controls(page.methods[name])
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Same seed, same machine, same result.")
    with in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
    page.start(recipe)

with sidebar.ready():
    pictures = cache.pair(clean_model.floor(choice.model, choice.data) if clean else recipe, choice)


def live(job):
    """Progress, the scores, and what they are made of."""
    page.progress(job, recipe, "The detector is not told which suspects carry the trigger. Press **Start**.")
    page.figures(job, asked=recipe)
    result = finished(job)
    if result is None:
        (seen,) = looks.looked({f"model {choice.model}": model}, pictures, f"{choice} {recipe.data}")
        views = cache.kept(lambda: detector.waiting(seen), "waiting", recipe.key(), choice)
        images.row(page.show(views), columns=3)
        return
    detector.charts(result, model.class_names)
    views = cache.kept(lambda: detector.blends(result, model.class_names), "blends", result.recipe.key())
    if page.show(views):
        images.row(views, columns=len(views) // 2)


with stage:
    page.watch(live)

result = page.result
if result is not None and ("controls" in result.notes or "trigger" in result.notes):
    st.caption(" ".join(result.notes[key] for key in ("trigger", "controls") if key in result.notes))
FEW, SOME, MOST = "A quarter or less", "Up to three quarters", "More"
ANSWERS = {"missed": FEW, "reversed": FEW, "in part": SOME, "found": MOST}
page.ask("How many of the triggered suspects will it find, at 5 % false alarms?", ANSWERS, page.answer())
page.end(recipe, texts.of(name), extra={"images": str(choice.index)} | ({"poison": rate} if in_training else {}))
