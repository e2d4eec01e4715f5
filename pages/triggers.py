"""Triggers: stamp one on a picture, and see what it does to the answer and to the heatmap."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "triggers",
    "**Watch** what a pattern does to the answer and to the heatmap. Then weaken it until the model no longer obeys.",
    "**Watch** what a pattern does to a model without a known backdoor: any attack success here is the pattern's own.",
)

from ui import cache, looks, sidebar, texts  # noqa: E402
from ui.charts.predictions import predictions  # noqa: E402
from ui.widgets import clean_model, figures, images, jobs, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from lab.recipes import Recipe

clean = clean_model.notice(page, model, scored=True)
OWN = "the model's own"
known = page.methods
controls, stage = page.columns()

with controls:
    options = list(known) if clean else [OWN, *known]
    name = link.choose("Trigger", options, key="method")
    cls = type(model.trigger) if name == OWN else known[name]
    trigger = knobs.controls(cls, base=model.trigger)
    aim = {}
    if model.target is None:
        aim["target"] = link.whole(
            "Target class", 0, len(model.class_names) - 1, 0, key="target",
            help=f"What counts as a success. 0 is {model.class_names[0]}.",
        )  # fmt: skip

with sidebar.ready():
    target = model.target if model.target is not None else aim["target"]
    recipe = Recipe(trigger, choice.model, choice.data, {"n": 400, **aim})
    jobs.keep_fresh(page.slug, recipe)
    if cache.waits(recipe):
        with stage:
            st.caption(f":material/info: {name} is being fitted; the pictures appear when that is done.")
            page.watch(jobs.progress)
            jobs.refusal(page.slug)
        st.stop()
    shown = recipe.replace(inputs=recipe.inputs | {"images": choice.images})
    seen = looks.stamped_look(shown.to_json(), choice.heatmap)


def scores(job):
    """The scores, computed in the background for exactly these settings."""
    page.figures(job)
    result = finished(job)
    if result is not None and (told := figures.trigger_controls(result.figures, result.counts)):
        st.caption(told)
    if job is None or job.state in ("failed", "queued"):
        jobs.progress(job)
    jobs.refusal(page.slug)


def pictures():
    """The picture without and with the trigger, the change, both heatmaps; and a note on each that says nothing."""
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    maps, notes = images.heat(*looks.tensors(seen), reference=1)
    truth = f"true class: {seen.names[seen.label]}" if seen.label is not None else "your picture"
    views = [
        images.View(images.pixels(seen.images[0]), truth, f"The picture, {truth}"),
        images.View(
            images.pixels(seen.images[1]), f"with {cls.__name__}", f"The picture with the {cls.__name__} trigger"
        ),
        images.View(
            images.pixels(change), f"the change, ×{factor}", f"What the trigger changes, magnified {factor} times"
        ),
        images.View(
            maps[0], f"says {seen.says(0)}", f"Heatmap without trigger: the model says {seen.says(0)}. {notes[0]}"
        ),
        images.View(
            maps[1], f"says {seen.says(1)}", f"Heatmap with trigger: the model says {seen.says(1)}. {notes[1]}"
        ),
    ]
    return views, notes


with stage:
    page.watch(scores)
    views, notes = cache.kept(pictures, "stamped", shown, model.card.sha, choice.heatmap, cls.__name__)
    with st.grid(3, min_column_width=150, gap="small"):
        for view in views:
            images.show(view)
        predictions(seen.names, {"plain": seen.shares[0], "triggered": seen.shares[1]}, top=3, height=220)
    images.key("High is the largest value without the trigger; larger ones with it are drawn as high.")
    for note in filter(None, notes):
        st.caption(f":material/info: {note}")

page.show(views)
where = "this model, which has no known backdoor" if clean else "a model that was never backdoored"
page.ask(
    f"Before you move a slider: on {where}, how often does this trigger lead to the target?",
    {"seldom": "Below 25 %", "in part": "25 to 75 %", "often": "From 75 % on"},
    page.answer("success" if clean else "floor"),
)
about = texts.of(cls.__name__)
aimed = f"**{model.class_names[target]}**"
page.end(
    recipe,
    about,
    about.meaning
    or "A backdoored model works normally until it meets its trigger. An attacker who controls part of the training "
    "data stamps the pattern on some pictures, so that the model learns to answer with a target"
    + (f", here {aimed}" if not clean else f". This one has no known backdoor, and {aimed} counts as a success here")
    + ". Accuracy on clean pictures may stay as it was, so a test set need not show it. The heatmap can, where the "
    "trigger sits in one place; a blend or a warp over the whole picture need not move it.",
    extra={"images": str(choice.index), "explainer": choice.heatmap},
)
