"""Poison: a network learns a trigger from poisoned training pictures, while you watch."""

import dataclasses

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "poison",
    "**Watch** a network learn a trigger from poisoned pictures: how fast attack success rises, and what it costs.",
)

from ui import cache, fallback_model, sidebar, texts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.texts import answers  # noqa: E402
from ui.views import moments, poisoned  # noqa: E402
from ui.widgets import images, knobs, link  # noqa: E402

choice = fallback_model.clean(page.choice)
with sidebar.ready():
    model = cache.model(choice)
    from core.device import best_device
    from core.training import PoisonedFineTuning, Standard
    from core.triggers import TRIGGERS, Poison
    from lab import links
    from lab.recipes import Recipe
    from lab.settings import settings

FURTHER, FRESH = "This model, trained further", "A fresh network"
NETWORKS = ("preact_resnet18?width=16", "cifar_resnet20", "cifar_vgg11?width=32")
known = {cls.__name__: cls for cls in TRIGGERS}


def poison_with(cls):
    """The controls of a trigger and of how it gets into the data, and the poison they say."""
    start = Poison(cls(), mode=cls.modes[0], clean_label=cls.paper_clean_label)
    return dataclasses.replace(knobs.controls(Poison, base=start), trigger=knobs.controls(cls))


controls, stage = page.columns()

with controls:
    fresh = link.choose("Who learns", [FURTHER, FRESH], key="way") == FRESH
    start = "arch:" + link.choose("Network", NETWORKS, key="network") if fresh else choice.model
    name = link.choose("Trigger", list(known), index=list(known).index("Blended"), key="trigger")
    with in_a_sentence():
        poison = poison_with(known[name])
        if fresh:
            method = knobs.controls(Standard, base=Standard(epochs=3, poison=poison))
        else:
            suited = PoisonedFineTuning.suited(model.input_size[-1], best_device(), poison)
            method = knobs.controls(PoisonedFineTuning, base=suited)
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Same seed, same machine, same result.")
        recipe = Recipe(method, start, choice.data, {"n": settings.control_n}, seed)
    page.start(recipe, "Train")

with sidebar.ready():
    samples = poisoned.samples(recipe, choice)
    pictures = None if fresh else cache.pair(recipe, choice)


def live(job):
    """Progress, the scores, the curve, and the picture before and now."""
    page.progress(job, recipe, "Nothing is trained yet. Press **Train**.")
    page.figures(job, asked=recipe)
    left, right = st.columns([1.35, 1], gap="small")
    with left:
        curve(job.curve if job else [], page.kind.scores, height=360)
    with right:
        if pictures is None:
            page.show(samples)
            st.caption("A fresh network names classes by chance; it is scored as it learns.")
        else:
            moments.before_and_now(page, "the training", recipe, model, pictures, job)


with stage:
    if samples:
        images.row(samples, columns=6)
        st.caption(poisoned.told(poison))
        cache.note_halves(choice.data)
    else:
        st.caption(f":material/info: {name} is learned in the run, so its pictures cannot be shown before.")
    page.watch(live)

if not fresh:
    page.ask("How much accuracy will the poison cost?", answers.COST, page.answer("cost"))
page.end(
    recipe,
    texts.of(type(method).__name__),
    also=[texts.of(name)],
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "trigger": name, "seed": str(seed),
        **({"way": FRESH, "network": start.removeprefix("arch:")} if fresh else {}),
        **links.of_knobs(method), **links.of_knobs(poison), **links.of_knobs(poison.trigger),
    },
)  # fmt: skip
