"""Weights: write a backdoor into a finished model by moving each weight a little."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Weights",
    "**Watch** a finished, clean model learn a trigger while no weight moves far, and hardly an answer changes.",
)

from ui import (  # noqa: E402
    cache,
    charts,
    errors,
    figures,
    frame,
    jobs,
    knobs,
    link,
    moments,
    share,
    stand_in,
    texts,
    weight_charts,
)  # fmt: skip

choice = stand_in.clean(frame.chosen())
with frame.ready():
    model = cache.model(choice)
    from core.attacks import WeightBackdoor
    from core.defenses import TSBD
    from core.triggers import SIG, BadNets, Blended, WaNet
    from lab import links, methods
    from lab.recipes import Recipe
    from lab.settings import settings

known = {cls.__name__: cls for cls in (BadNets, Blended, SIG, WaNet)}
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    method = knobs.controls(WeightBackdoor, main=("eps", "box", "keep"))
    with st.expander("Trigger and target", icon=":material/bolt:"):
        trigger = knobs.controls(known[link.choose("Trigger", list(known), key="trigger")])
        target = link.whole("Target class", 0, len(model.class_names) - 1, 0, key="target")
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed")
    st.caption(f"Triggered pictures shall become **{model.class_names[target]}**.")
    inputs = {"n": settings.control_n, "target": target, "trigger": methods.to_dict(trigger)}
    with errors.in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
    jobs.buttons("weights", recipe, "Inject")

with frame.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """Progress, three figures, the curve, how far the weights moved, and the picture before and now."""
    jobs.progress(job, recipe, "The model as it is. Press **Inject**.")
    result = job.result if job and job.state == "done" else None
    scored = [point for point in job.curve if "acc" in point] if job else []
    before = next((point for point in scored if point["stage"] == "before"), {})
    now = scored[-1] if scored else {}
    if result is not None:
        before, now = figures.moment(result, "before"), figures.moment(result, "after")
    count = result.counts if result else {}
    with figures.three():
        figures.share(
            figures.WORDS["asr"], now.get("asr"), int(count.get("after/asr") or now.get("n_asr", 0)),
            before=before.get("asr"), good="neither",
            help=f"{figures.HELP['asr']} The change is against the untouched model, the trigger's floor.",
        )  # fmt: skip
        figures.share(
            figures.WORDS["acc"], now.get("acc"), int(count.get("after/acc") or now.get("n", 0)),
            before=before.get("acc"), help=f"{figures.HELP['acc']} The change is against the untouched model.",
        )  # fmt: skip
        agreed = result.figures["agreement"] if result else None
        figures.share(
            "Agreement", agreed, count.get("agreement"), good="neither",
            help="Share of the clean test pictures that both models put into the same class. A customer who compares "
            "the two sees this number.",
        )  # fmt: skip
    curve, views = st.columns([1.35, 1], gap="small")
    with curve:
        if scored:
            charts.curve(job.curve, height=240 if result else 360)
        if result is not None:
            middle, mean = result.figures["report/relative/50"], result.figures["report/relative/mean"]
            histogram = result.images["histogram"].tolist()
            weight_charts.relative(histogram, result.images["histogram/edges"].tolist(), middle, height=150)
            st.caption(
                f"Median change {figures.percent(middle)}, mean {figures.percent(mean)} of a weight's size; "
                f"largest step {result.figures['report/change/linf']:.4f}."
            )
    with views:
        moments.before_and_now("weights", "the injection", choice, recipe, model, pictures, job)


with stage, frame.ready():
    jobs.watch("weights", live)

job = jobs.current("weights")
result = job.result if job is not None and job.state == "done" else None
GUESSES = ["None", "One or two points", "More than five points"]
lost = 100 * (result.figures["before/acc"] - result.figures["after/acc"]) if result is not None else 0.0
lesson.question(
    "How much accuracy will the injection cost?", GUESSES, GUESSES[0 if lost < 0.5 else 1 if lost < 5 else 2],
    "There are far more weights than answers to keep: many directions change one thing and nothing else.",
    key="weights", reveal=result is not None,
)  # fmt: skip
share.block(
    "weights", recipe, job.result if job else None, st.session_state.get("weights-views", []),
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "trigger": type(trigger).__name__,
        "target": str(target), "seed": str(seed), **links.of_knobs(method), **links.of_knobs(trigger),
    },
)  # fmt: skip
if result is not None:
    chain = Recipe(TSBD(), recipe, choice.data, {"n": settings.control_n})
    st.page_link(
        "compare.py", label="Can TSBD take it out again?", icon=":material/balance:",
        query_params={"v": "1", "recipe": chain.to_json()},
    )  # fmt: skip
about = texts.of("WeightBackdoor")
lesson.meaning(about.meaning, about=about)
