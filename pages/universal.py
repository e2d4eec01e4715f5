"""Universal: one perturbation, or one patch, that changes the answers to pictures it has never seen."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "universal",
    "**Watch** one change learn to fool everything. Then try it on pictures that it was not made on, and on yours.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts.curve import curve  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import universal as views  # noqa: E402
from ui.widgets import images, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from lab.recipes import Recipe

ANY = "any other class"
names, known = model.class_names, page.methods
controls, stage = page.columns()

with controls:
    name = link.choose("Change", list(known), key="method",
                       help="A small perturbation of every pixel, or a patch that is pasted in.")  # fmt: skip
    towards = "goal" if name == "Universal" else f"goal-{name}"
    goal = link.choose("Towards", [ANY, *names], key=towards, index=int(name == "Patch"),
                       help="What the model is to say.")  # fmt: skip
    main, action, rest = st.container(), st.container(), st.container()
    with main, in_a_sentence():
        method = knobs.controls(known[name], folded=rest)
    with rest:
        n = st.select_slider("Test pictures", [100, 200, 300, 500, 1000], 300, key="n", **link.BOUND,
                             help="That it is judged on; none of them is learned from.")  # fmt: skip
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws batches, places and the control.")
    inputs = {"n": n} | ({} if goal == ANY else {"target": names.index(goal)})
    with action, in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
        page.start(recipe, "Learn")


def live(job):
    """Progress, the change as it grows, the scores, and the fooling rate pass by pass."""
    page.progress(job, recipe, "Press **Learn** and watch the fooling rate rise.")
    images.row(page.show(views.row(choice, job)), columns=7 if page.result else 4)
    page.figures(job, asked=recipe)
    if job is not None:
        curve(job.curve, page.kind.scores, height=260)


with stage:
    page.watch(live)
    if (result := page.result) is not None:
        st.subheader("On other networks", anchor=False)
        views.transfer(result)
        if views.is_patch(result):
            views.sides(result)
        st.subheader("On the chosen picture, or on yours", anchor=False)
        st.caption("*Yours*, in the sidebar, takes a photograph: a file, or one from the webcam.")
        spot = None
        if views.is_patch(result):
            left, right = st.columns(2)
            with left:
                side = st.slider("Side", 0.05, 1.0, 0.4, 0.05, key="spot-side", **link.BOUND)
                angle = st.slider("Angle", -180, 180, 0, 5, key="spot-angle", **link.BOUND)
            with right:
                across = st.slider("Across", -1.0, 1.0, 0.6, 0.1, key="spot-x", **link.BOUND)
                down = st.slider("Down", -1.0, 1.0, 0.6, 0.1, key="spot-y", **link.BOUND)
            spot = views.Spot(side, angle, across, down)
            views.download(result)
        with sidebar.ready():
            if model.input_size == cache.model_of(result.recipe).input_size:
                views.on_choice(choice, model, result, spot)
            else:
                st.caption("It was made for pictures of another size than the chosen model takes.")

page.ask(
    "Will it fool pictures that it was not made on as often as those it was?",
    {"as often": "About as often", "less often": "Less often", "more often": "More often"}, page.answer("held out"),
)  # fmt: skip
page.end(recipe, texts.of(name), extra={"images": str(choice.index), towards: goal})
