"""Outliers: detectors trained on pictures of which some are outliers, and what they learn by heart."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "outliers",
    "**Watch** the error of the outliers as training goes on: an autoencoder learns them, too. ITSR takes its likely "
    "outliers out of the training, and pushes the worst of them away.",
)

from ui import cache, outlier_choice, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import outliers as views  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    cache.model(choice)
    from lab import concepts, links, loading, outliers, whole_runs
    from lab.recipes import Recipe

controls, stage = page.columns()
with controls:
    data = outlier_choice.data(choice.data)
    with sidebar.ready():
        cache.bring(data)
        few = loading.images(data, "test", limit=100, size=outliers.size_of(data))
    with in_a_sentence():
        chosen = outlier_choice.draw(data, few.class_names, concepts.labels(few))
    share = st.slider("Outliers among the training pictures", 0, 20, 5, 1, format="%d %%", key="contamination",
                      help="In percent. Nothing says which they are.", **link.BOUND)  # fmt: skip
    button = st.container()  # above what is set less often
    name = link.choose("Method", list(page.methods), key="method", help="The detector that is looked at.")
    with in_a_sentence():
        method = knobs.controls(page.methods[name])
    beside = st.multiselect(
        "Beside it", list(page.methods), outliers.DETECTORS_FIRST.split(","), key="detectors",
        help="Other detectors on the same pictures. PaDiM and PatchCore look at features of the sidebar's model.",
        **link.BOUND,
    )  # fmt: skip
    many = st.select_slider("Training pictures, at most", [50, 100, 250, 500, 1000, 2000], outliers.PICTURES_FIRST,
                            key="many", **link.BOUND)  # fmt: skip
    n = st.select_slider("Test pictures of each kind, at most", [50, 100, 200, 500, 1000], 200, key="n", **link.BOUND)
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws the outliers, weights and batches.")
    inputs = {
        "normal": chosen.normal, "outlier": chosen.outlier, "contamination": share / 100,
        "detectors": ",".join(beside) or "none", "pictures": many, "n": n,
    }  # fmt: skip
    with button, in_a_sentence():
        recipe = Recipe(method, choice.model, chosen.data, inputs, seed) if chosen.outlier else None
        page.start(recipe, "Train")
        if recipe is None:
            st.caption("Give pictures that are outliers first.")

FIGURES = ("bacc", "ceiling", "area", "unobserved")


stored = None if page.job else whole_runs.read(outliers.stored(data))


def live(job):
    """Progress, the errors as they grow, and the charts once they are there; before any run, the stored one."""
    page.progress(job, recipe, "Press **Train**: no detector is told which training pictures are outliers.")
    if stored is not None:
        views.stored(stored, recipe)
    page.figures(job, (stored.figures, stored.counts) if stored else ({}, {}), asked=recipe, only=FIGURES)
    if (result := stored or finished(job)) is not None:
        views.figures(result)
    elif job is not None:
        views.running(job.curve)


with stage:
    page.watch(live)
    if (result := stored or page.result) is not None:
        views.refined(result)
        st.header("What each finds strangest", anchor=False)
        page.show(views.strangest(result))

page.ask(
    "Will the autoencoder's error of outliers stay above that of normal pictures to the end?",
    {"open": "It stays well above", "narrowed": "It comes closer", "closed": "Hardly a difference is left"},
    page.answer("learned", result),
)  # fmt: skip
if (taken := page.answer("candidates", result)) is not None:
    st.markdown(taken.text)
page.end(
    recipe or Recipe(method, choice.model, chosen.data, {}, seed), texts.of(name),
    also=[texts.of(each) for each in beside if each != name],
    query={
        "model": choice.model, "data": choice.data, "seed": str(seed), "n": str(n), "many": str(many),
        "contamination": str(share), "method": name, "detectors": beside, **chosen.said, **links.of_knobs(method),
    },
)  # fmt: skip
