"""Triggers: stamp one on a picture, and see the answer flip and the heatmap jump."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Triggers",
    "**Watch** the answer flip and the heatmap jump. Then weaken the trigger until the model no longer obeys.",
)

from ui import cache, charts, figures, frame, images, jobs, knobs, link, share, texts  # noqa: E402

choice = frame.chosen()
with frame.ready():
    model = cache.model(choice)
    from core.triggers import TRIGGERS
    from lab.recipes import Recipe

OWN = "the model's own"
MAIN = {
    "BadNets": ("side", "margin", "shade"), "Blended": ("alpha", "cells"), "SIG": ("delta", "frequency"),
    "WaNet": ("strength", "grid"), "Flareon": ("amplify", "beta"), "InputAware": ("density",),
    "LowFrequency": ("amplitude", "std"), "SSBA": ("amplitude", "key"), "TrojanNN": ("area", "reach"),
}  # fmt: skip
known = {cls.__name__: cls for cls in TRIGGERS}
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    options = [OWN, *known] if model.trigger is not None else list(known)
    name = link.choose("Trigger", options, key="method")
    cls = type(model.trigger) if name == OWN else known[name]
    trigger = knobs.controls(cls, main=MAIN.get(cls.__name__, ()), base=model.trigger)
    explainer = link.pick(
        "Heatmap", ["GradCAM", "HiResCAM"], "GradCAM", key="explainer",
        help="What in the picture speaks for the class that the model names.",
    )  # fmt: skip
    aim = {}
    if model.target is None:
        aim["target"] = link.whole(
            "Target class", 0, len(model.class_names) - 1, 0, key="target",
            help=f"What counts as a success. 0 is {model.class_names[0]}.",
        )  # fmt: skip

with frame.ready():
    target = model.target if model.target is not None else aim["target"]
    recipe = Recipe(trigger, choice.model, choice.data, {"n": 400, **aim})
    job = jobs.keep_fresh("triggers", recipe)
    if cache.waits(recipe):
        with stage:
            st.caption(f":material/info: {name} is fitted first, now; the pictures come when that is done.")
            jobs.watch("triggers", jobs.progress)
            jobs.refusal("triggers")
        st.stop()
    seen = cache.stamped_look(recipe.replace(inputs=recipe.inputs | {"images": choice.images}).to_json(), explainer)


def scores(job):
    """Three figures, computed in the background for exactly these settings."""
    result = job.result if job is not None and job.state == "done" else None
    found, counts = (result.figures, result.counts) if result else ({}, {})
    with figures.three():
        figures.share(
            "Attack success (ASR)", found.get("asr"), counts.get("asr"), before=found.get("clean_model/asr"),
            good="neither", help=f"{figures.HELP['asr']} The change is against the clean model.",
        )  # fmt: skip
        figures.share(
            "ASR, clean model", found.get("clean_model/asr"), counts.get("clean_model/asr"), good="neither",
            help="The floor: so often a model that was never backdoored answers with the target class all the same.",
        )  # fmt: skip
        figures.share(
            "Accuracy (ACC)", found.get("acc"), counts.get("acc"), before=found.get("clean_model/acc"),
            help="Share of the pictures without trigger that the model gets right. Change: against the clean model.",
        )  # fmt: skip
    if told := figures.trigger_controls(found, counts):
        st.caption(told)
    if job is None or job.state in ("failed", "queued"):
        jobs.progress(job)
    jobs.refusal("triggers")


with stage:
    jobs.watch("triggers", scores)
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    maps, notes = images.heat(*cache.tensors(seen))
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
    with st.grid(3, min_column_width=150, gap="small"):
        for view in views:
            images.show(view)
        charts.predictions(seen.names, {"plain": seen.shares[0], "triggered": seen.shares[1]}, top=3, height=220)
    for note in filter(None, notes):
        st.caption(f":material/info: {note}")

lesson.question(
    "Before you move a slider: on a model that was never backdoored, how often does this trigger lead to the target?",
    ["Nearly always", "About half the time", "About as often as by chance"], "About as often as by chance",
    "The pattern means nothing by itself: success far above the floor shows that it was trained in.",
    key="triggers", reveal=job is not None and job.state == "done",
)  # fmt: skip
share.block(
    "triggers", recipe, job.result if job else None, views, {"images": str(choice.index), "explainer": explainer}
)
about = texts.of(cls.__name__)
lesson.meaning(
    about.meaning
    or "A backdoored model behaves until it meets its trigger. Someone who controls part of the training data stamped "
    f"the pattern on some pictures and called them **{model.class_names[target]}**. Accuracy on clean pictures "
    "hardly moves, so a test set does not give it away; the heatmap does, where the trigger sits in one place. "
    "A trigger that is spread over the whole picture, such as a blend or a warp, leaves the map much quieter.",
    about=about,
)
