"""Re-activate: whether a small universal perturbation brings back a backdoor that a defense suppressed."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "reactivate",
    "**Watch** the gap between two bars, with the trigger and without. One that a clean model lacks is evidence.",
    "This page tests whether a defense removed a backdoor or left it dormant, so it needs a model that has one.",
)

from ui import cache, navigation, sidebar, texts  # noqa: E402
from ui.charts import reactivation as charts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import reactivation as views  # noqa: E402
from ui.widgets import clean_model, images, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.attacks import ReActivation
    from core.defenses import DEFENSES
    from lab import links
    from lab.recipes import Recipe
    from lab.settings import settings

if clean_model.notice(page, model):
    raise navigation.PageEnds

known = {cls.__name__: cls for cls in DEFENSES}
controls, stage = page.columns()

with controls:
    name = link.choose(
        "After the defense", list(known), index=list(known).index("FineTuning"), key="defense",
        help="With its default settings. It runs first, unless this server has its result already.",
    )  # fmt: skip
    method = knobs.controls(ReActivation)
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Of the defense and of the attack.")
    with in_a_sentence():
        repaired = Recipe(known[name](), choice.model, choice.data, {"n": settings.control_n}, seed)
        recipe = Recipe(method, repaired, choice.data, {"n": min(300, settings.control_n)}, seed)
    page.start(recipe, "Re-activate")

with sidebar.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """Progress, the scores, the five controls and their curves over the budget."""
    page.progress(job, recipe, f"{name} first, then the attack on what it leaves. Press **Re-activate**.")
    page.figures(job, asked=recipe)
    result = finished(job)
    if result is None:
        images.row(cache.kept(lambda: views.waiting(pictures), "waiting", recipe.key(), choice), columns=3)
        return
    found = result.figures
    left, right = st.columns(2, gap="small")
    with left:
        charts.five(found, height=400)
    with right:
        charts.over_budget(found, result.images["budgets"].tolist(), height=400)
    gaps = [
        f"{word} {100 * found[head + 'gap']:+.1f} pp" for head, word in charts.MODELS.items() if f"{head}gap" in found
    ]
    st.caption(
        f"**Gap** at the full budget, with the trigger minus without: {', '.join(gaps)}. "
        f"n = {result.counts['asr/trigger']} pictures per bar, one seed."
    )
    if told := views.existence(result):
        st.caption(told)
    woken = cache.kept(lambda: views.woken(result, model.class_names), "woken", job.key)
    images.row(page.show(woken), columns=4)


with stage:
    page.watch(live)

ABOVE, SAME = "More than 20 points above", "Within 20 points"
ANSWERS = {"dormant": ABOVE, "awake": ABOVE, "clean model too": ABOVE, "no gap": SAME, "any perturbation": SAME}
page.ask(
    "Trigger and perturbation together: how far above a perturbation of the same size without a trigger?",
    ANSWERS | {"below": "More than 20 points below"},
    page.answer(),
)
page.end(
    recipe,
    texts.of("ReActivation"),
    query={"model": choice.model, "data": choice.data, "defense": name, "seed": str(seed), **links.of_knobs(method)},
)
