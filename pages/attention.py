"""Attention: whether a heatmap survives an attack on the background, and a training that weighs pictures by it."""

import dataclasses
from typing import Any

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "attention",
    "**Watch** the heatmap while only the background is attacked. Then train on, and count for more what does not "
    "survive.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import attention  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model(choice)
    from core.attacks import PGD
    from core.explain import Consistency
    from core.training import ExplanationConsistency
    from lab import consistency_names, links
    from lab.kinds.shared import beside
    from lab.kinds.shared.bias_test import scenes_of
    from lab.methods import to_dict
    from lab.recipes import Recipe

ALONE = "nothing"
start: Any = consistency_names.live()
E = start.consistency
controls, stage = page.columns()

with controls:
    other = link.choose("Beside it", [ALONE, *consistency_names.WORDS.values()], index=2, key="beside",
                        help="A second training from the same start, on the same batches: what its pictures count "
                             "by.")  # fmt: skip
    button = st.container()  # above what is set less often
    with in_a_sentence():
        method: Any = knobs.controls(ExplanationConsistency, base=start)
        attack = knobs.controls(PGD, base=E.attack)
        explained: Any = knobs.controls(Consistency, base=E)
        explained = dataclasses.replace(explained, attack=attack)
        method = dataclasses.replace(method, consistency=explained)
        n = st.select_slider("Pictures scored", [100, 200, 500, 1000, 2000], 500, key="n", **link.BOUND,
                             help="Test pictures, each on five backgrounds.")  # fmt: skip
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws batches and the attacks' starts.")
        rule = "" if other == ALONE else consistency_names.rule_of(other)
        second = {"beside": to_dict(dataclasses.replace(method, weights=rule))} if rule else {}
        recipe = Recipe(method, choice.model, choice.data, {"n": n} | second, seed)

with sidebar.ready():
    found = attention.seen(choice, explained)
with stage:
    attention.row(found)
    page.show(found.views)
    attention.formula(found, explained)
    with in_a_sentence(then=sidebar.offer_scenes):
        scenes_of(choice.data)  # any data have E, and only these a test of their backgrounds
with button:
    page.start(recipe, "Train")


def live(job):
    """Progress, the figures of one or two trainings, their curves, and E before and after."""
    asked = recipe if job is None else job.recipe
    page.progress(job, recipe, "Press **Train**: E is measured, and weighs the pictures.")
    page.figures(job, asked=recipe, only=() if "beside" in asked.inputs else attention.SINGLE)
    if job is not None:
        curve(job.curve, page.kind.scores, height=260)
    if (result := finished(job)) is not None:
        attention.histogram(result)


with stage:
    page.watch(live)
    for question in ("change", "stable"):
        if (answer := page.answer(question)) is not None and answer.outcome != beside.ALONE:
            st.caption(answer.text)

if rule not in ("", method.weights):
    page.ask("Whose accuracy on shuffled backgrounds will be higher?",
             {"higher": consistency_names.called(method), "same": "Neither", "lower": other},
             page.answer("change"))  # fmt: skip
else:
    page.ask("What will its answers rest on?", {"object": "The object", "background": "Many on the background",
             "diverged": "Neither"}, page.answer())  # fmt: skip
page.end(
    recipe, texts.of("ExplanationConsistency"),
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "seed": str(seed), "n": str(n),
        "beside": other, **links.of_knobs(attack),
        **links.of_knobs(explained), **links.of_knobs(method),
    },
)  # fmt: skip
attention.shipped()
