"""Mixing: pictures and labels mixed in a training, by MixUp, CutMix or FMix, and what that leads to."""

import dataclasses
from typing import Any

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "mixing",
    "**Watch** the mask change as λ moves, what networks say of two pictures in one, and what learning from such "
    "pictures does to a network.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import mixed_trainings  # noqa: E402
from ui.views import mixing as views  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model(choice)
    from core.training import MIXERS, CutMix, FMix, Mixing, MixUp
    from lab import links
    from lab.recipes import Recipe

ALONE = "nothing"
FURTHER, FRESH = "This model, trained further", "A fresh network"
ARCHITECTURE = "arch:preact_resnet18?width=16"
STARTS = {"FMix": FMix(), "CutMix": CutMix(probability=0.5), "MixUp": MixUp()}
kinds = {cls.__name__: cls for cls in MIXERS}
controls, stage = page.columns()

with controls:
    name = link.choose("Mixer", list(STARTS), key="mixer")
    with in_a_sentence():
        mixer: Any = knobs.controls(kinds[name], base=STARTS[name])
    lam = st.slider("Weight λ of the first picture", 0.0, 1.0, 0.5, 0.01, key="lam", **link.BOUND)
    partner = link.whole("Second picture", 0, 99_999, 14, key="partner", help="The number of a test picture.")
    own = views.second_picture()

with sidebar.ready():
    networks = views.networks_of(choice, page.result)
with stage:
    st.header("Two pictures in one", anchor=False)
    with in_a_sentence(then=sidebar.offer_scenes):
        page.show(views.pair(choice, partner, own, mixer, lam, networks))
    st.header("Masks and their spectra", anchor=False)
    views.masks(mixer, lam)

st.header("Train with and without", anchor=False)
controls, stage = page.columns()
with controls:
    other = link.choose("Beside it", [ALONE, *STARTS], index=2, key="beside",
                        help="A third training with another mixer; one without mixing always runs along.")  # fmt: skip
    fresh = link.choose("Who learns", [FURTHER, FRESH], key="way") == FRESH
    button = st.container()  # above what is set less often
    with in_a_sentence():
        schedule: Any = knobs.controls(Mixing)
        method = dataclasses.replace(schedule, first=mixer, second=STARTS.get(other))
        n = st.select_slider("Pictures scored", [50, 100, 200, 300, 500, 1000], 300, key="n", **link.BOUND)
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws batches, weights and masks.")
        recipe = Recipe(method, ARCHITECTURE if fresh else choice.model, choice.data, {"n": n}, seed)
    with button:
        page.start(recipe, "Train")

ACCURACIES = ("unmixed/acc", "first/acc", "second/acc")


def live(job):
    """Progress, the accuracy of each training as it goes on, and what its network does in the end."""
    asked = recipe if job is None else job.recipe
    page.progress(job, recipe, "Press **Train**: all start from the same weights and take the same batches.")
    page.figures(job, asked=recipe, only=ACCURACIES if asked.method.second else ACCURACIES[:2])
    if job is not None:
        mixed_trainings.live(job)


with stage:
    page.watch(live)

page.ask(
    f"Will confidence be closer to accuracy with {name} than without mixing?",
    {"closer": "Closer", "alike": "No difference", "further": "Further away"}, page.answer("confidence"),
)  # fmt: skip
page.end(recipe, texts.of("Mixing"), query={
    "model": choice.model, "data": choice.data, "images": str(choice.index), "seed": str(seed), "n": str(n),
    "mixer": name, "beside": other, "lam": str(lam), "partner": str(partner), **({"way": FRESH} if fresh else {}),
    **links.of_knobs(mixer), **links.of_knobs(method),
})  # fmt: skip
mixed_trainings.shipped()
