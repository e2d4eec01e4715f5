"""Robust training: a network learns from attacked pictures, and whether its robustness carries over to others."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "robust_training",
    "**Watch** accuracy under attack on pictures that are learned from, and on others. Between them opens the robust "
    "gap.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import robust, under_attack  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model(choice)
    from core.attacks import PGD
    from core.training import AWP, Adversarial
    from lab import links, robust_names
    from lab.kinds.shared import beside
    from lab.methods import to_dict
    from lab.recipes import Recipe

ALONE = "nothing"
FRESH, FURTHER = "A fresh network", "This model, trained further"
ARCHITECTURE = "arch:preact_resnet18?width=16"
start = robust_names.live()
controls, stage = page.columns()

with controls:
    name = link.choose("Training", robust_names.NAMES, index=1, key="method")
    other = link.choose("Beside it", [ALONE, *robust_names.NAMES], index=1, key="beside",
                        help="A second training from the same start, on the same batches.")  # fmt: skip
    fresh = link.choose("Who learns", [FURTHER, FRESH], key="way") == FRESH
    button = st.container()  # above what is set less often
    with in_a_sentence():
        attack = knobs.controls(PGD, base=start.attack)
        awp = knobs.controls(AWP) if "AWP" in name + other else AWP()
        shared = robust_names.attacked_by(knobs.controls(Adversarial, base=start), attack)
        method = robust_names.named(name, shared, awp)
        n = st.select_slider("Pictures scored", [50, 100, 200, 500, 1000], 200, key="n", **link.BOUND,
                             help="Test pictures, and as many that were learned from.")  # fmt: skip
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws batches and the attacks' starts.")
        second = {} if other == ALONE else {"beside": to_dict(robust_names.named(other, shared, awp))}
        recipe = Recipe(method, ARCHITECTURE if fresh else choice.model, choice.data, {"n": n} | second, seed)
    with button:
        page.start(recipe, "Train")

with sidebar.ready():
    pictures = under_attack.views(choice)

SINGLE = ("acc", "robust", "train/robust", "gap")


def live(job):
    """Progress, the figures of one or two trainings, and their accuracies by epoch."""
    asked = recipe if job is None else job.recipe
    page.progress(job, recipe, "Press **Train**: every step attacks its pictures anew.")
    page.figures(job, asked=recipe, only=() if "beside" in asked.inputs else SINGLE)
    if job is None:
        under_attack.row(page.show(pictures))
    else:
        robust.curves(job)


with stage:
    page.watch(live)
    if (cost := page.answer("cost")) is not None and cost.outcome != beside.ALONE:
        st.caption(cost.text)

if other != ALONE and other != name:
    page.ask(f"Whose robust gap will be smaller, that of {name} or that of {other}?",
             {"smaller gap": name, "same gap": "Neither", "larger gap": other}, page.answer("change"))  # fmt: skip
else:
    page.ask("Will the network be robust?",
             {"robust": "On all pictures alike", "overfitted": "Above all on those it learned from", "not robust": "No",
              "catastrophic": "No", "diverged": "No"}, page.answer())  # fmt: skip
page.end(
    recipe, texts.of(type(method).__name__),
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "seed": str(seed), "n": str(n),
        "method": name, "beside": other, **({"way": FRESH} if fresh else {}), **links.of_knobs(attack),
        **(links.of_knobs(awp) if "AWP" in name + other else {}), **links.of_knobs(shared),
    },
)  # fmt: skip
robust.records()
