"""Concepts: whether a layer knows a concept, which classes respond to it, and what happens once it is added."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "concepts",
    "**Watch** whether a layer tells pictures with the concept from others, and whether a class responds to it more "
    "than to random pictures.",
)

from ui import cache, concept_choice, sidebar, texts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import concept as views  # noqa: E402
from ui.widgets import knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model_and_picture(choice)
    from core.explain import layers_of
    from lab import links, loading, methods
    from lab.recipes import Recipe

    few = loading.images(choice.data, "test", limit=100, size=model.input_size[-1])
    layers = cache.kept(lambda: list(layers_of(model, few.images)), "layers", choice.model, model.card.sha)

NONE, USUAL = "none", "the stage before the last"
controls, stage = page.columns()

with controls:
    concept, said = concept_choice.draw(few)
    layer = link.choose(
        "Layer", [USUAL, *(name.removeprefix("net.") for name in layers)], key="layer",
        help="Early layers see colours and edges, late ones what tells the classes apart.",
    )  # fmt: skip
    button = st.container()  # above what is set less often
    name = link.choose("Method", list(page.methods), key="method", help="How the vector is found.")
    method = knobs.controls(page.methods[name])
    second = link.choose(
        "Beside it", [NONE, *page.methods], key="beside", index=2, help="Another method on the same activations."
    )
    n = st.select_slider("Pictures", [100, 250, 500, 1000, 2000], 1000, key="n", **link.BOUND,
                         help="Test pictures, with the concept and without.")  # fmt: skip
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Divides the pictures and draws the random sets.")
    inputs = {"concept": concept, "n": n} | ({"layer": layer} if layer != USUAL else {})
    inputs |= {"alongside": methods.to_dict(page.methods[second]())} if second not in (NONE, name) else {}
    with button, in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed) if concept else None
        page.start(recipe, "Look for it")
        if recipe is None:
            st.caption("Say first which pictures hold the concept.")


def live(job):
    """Progress, the scores, and the charts once they are there."""
    page.progress(job, recipe, "Press **Look for it**: pictures it was not learned from will tell.")
    asked = (job.recipe if job else recipe) or recipe
    both = asked is not None and "alongside" in asked.inputs
    page.figures(job, asked=recipe, only=[score.key for score in page.kind.scores if both or "/" not in score.key])
    result = finished(job)
    if job is None:
        if shown := page.show(views.examples(concept, few)):
            views.rows(shown, *views.EXAMPLES)
    elif result is None:
        curve(job.curve, page.kind.scores, height=300)
    else:
        views.figures(result)
        views.rows(page.show(views.ends(result)), *views.ENDS)


with stage:
    page.watch(live)
    if (result := page.result) is not None and result.recipe.model == choice.model:
        st.subheader("Add it to your picture, or take it away", anchor=False)
        strength = st.slider("Strength", -views.FARTHEST, views.FARTHEST, 1.0, 0.25, key="strength", help=(
            "Times the difference of the mean activations with and without the concept, which is added to the layer's "
            "answer to your picture."))  # fmt: skip
        with in_a_sentence(stop=False):
            told = views.moved(choice, model, result, strength)
            st.markdown(told)

page.ask(
    "Does this layer know the concept: how many of its pictures are recalled at 5 % false positives?",
    {"known": "Half or more", "in part": "More than chance", "chance": "No more than chance"}, page.answer(),
)  # fmt: skip
page.end(
    recipe or Recipe(method, choice.model, choice.data, {}, seed), texts.of(name),
    also=[texts.of(second)] if second not in (NONE, name) else (),
    query={
        "model": choice.model, "data": choice.data, "images": str(choice.index), "seed": str(seed), "n": str(n),
        "method": name, "beside": second, "layer": layer, **said, **links.of_knobs(method),
    },
)  # fmt: skip
