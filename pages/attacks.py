"""Attacks: one picture under all of them, and how accuracy falls as the change that is allowed grows."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "attacks",
    "**Watch** several attacks change one picture, each as little as it can or must, and accuracy fall as they may "
    "change more.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import attacks as views  # noqa: E402
from ui.widgets import images, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.attacks import RobustCurve
    from lab.recipes import Recipe

ANY = "any other class"
names = model.class_names
controls, stage = page.columns()

with controls:
    main, action, rest = st.container(), st.container(), st.container()
    with main:
        method = knobs.controls(RobustCurve, folded=rest)
        goal = link.choose("Towards", [ANY, *names], key="goal", help="What the attacks on the picture are to reach.")
        every = st.toggle("All attacks", False, key="all", **link.BOUND,
                          help="On the picture: all that the lab has, in each norm, in place of six fast ones.")
        n = st.select_slider("Test pictures", [50, 100, 200, 500], 100, key="n", **link.BOUND,
                             help="Behind each point of the curves.")  # fmt: skip
    with rest:
        seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Draws random starts and the noise.")
    inputs: dict = {"images": choice.images, "n": n} | ({"attacks": "all"} if every else {})
    inputs |= {} if goal == ANY else {"target": names.index(goal)}
    with action, in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
        page.start(recipe, "Attack")


def live(job):
    """Progress, the pictures as they are attacked, the scores, and the curves as they grow."""
    page.progress(job, recipe, "Press **Attack**: first the picture, then the test pictures.")
    images.row(page.show(views.row(choice, model, job)), columns=5)
    page.figures(job, asked=recipe)
    st.header("Accuracy against the budget", anchor=False)
    views.curves(job, recipe)


with stage:
    page.watch(live)
    if (result := page.result) is not None:
        st.header("Where each attack stops", anchor=False)
        views.table(result)
        views.paths(result)
        st.header("Heatmaps before and after", anchor=False)
        attack = link.choose("Attack", result.notes["attacks"].split(", "), key="attack")
        with sidebar.ready():
            images.row(views.closer(choice, result, attack), columns=3)
        images.key("High is the largest value before the attack; larger ones after it are drawn as high.")

page.ask(
    "How much of its accuracy will the network keep at the largest budget?",
    {"broken": "Less than a tenth", "in part": "Less than half", "withstands": "Half or more"}, page.answer(),
)  # fmt: skip
page.end(recipe, texts.of("RobustCurve"), extra={"images": str(choice.index), "goal": goal, "all": str(every).lower()})
