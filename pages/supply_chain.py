"""Supply chain: one line in the augmentation trains a trigger for every class (Flareon)."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "supply_chain",
    "**Watch** how many classes one added line of augmentation makes reachable. Labels and loss stay as they were.",
)

from ui import cache, fallback_model, looks, sidebar, texts  # noqa: E402
from ui.charts.sources import sources  # noqa: E402
from ui.widgets import figures, images, jobs, knobs, link  # noqa: E402

choice = fallback_model.any_to_any(page.choice)
with sidebar.ready():
    model = cache.model(choice)
    from core.metrics.any_to_any import sent
    from core.triggers import Flareon
    from lab.recipes import Recipe

names = model.class_names
controls, stage = page.columns()

with controls:
    into = link.choose("Send the picture to", names, index=min(3, len(names) - 1), key="into")
    trigger = knobs.controls(Flareon, base=model.trigger)
    rate = model.card.recipe["method"]["poison"]["rate"]
    st.markdown("**The attack**, in the shared training code:")
    st.code(
        "  x = augment(x)\n"
        f"+ x = move(x, τ[y], {rate:g})\n"
        "  loss = ce(f(x), y)",
        language=None,
    )
    st.caption(
        f"τ: one field of motions per class, which moves {rate:.0%} of each batch. In the code it looks like "
        "augmentation."
    )

with sidebar.ready():
    recipe = Recipe(trigger, choice.model, choice.data, {"n": 400})
    shown = recipe.replace(inputs=recipe.inputs | {"images": choice.images, "target": names.index(into)})
    seen = looks.stamped_look(shown.to_json())
    jobs.keep_fresh(page.slug, recipe)


def scores(job):
    """The scores over all targets, and the table of sources and triggers."""
    page.figures(job)
    result = finished(job)
    if result is None:
        jobs.progress(job)
        return
    sources(sent(result.images["answers"][1:]).tolist(), names)
    st.caption(
        "Percent of the pictures of a class (row) that a trigger (column) sends to its class. A trigger leads to "
        f"another wrong class in {figures.percent(result.figures['cross_talk'])} of the cases."
    )


def moved():
    """The picture as it is, moved for the target, and the change."""
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    return [
        images.View(
            images.pixels(seen.images[0]), f"plain  \n**{seen.says(0)}**", f"Plain: the model says {seen.says(0)}"
        ),
        images.View(
            images.pixels(seen.images[1]), f"moved for {into}  \n**{seen.says(1)}**",
            f"With the motion of {into}: the model says {seen.says(1)}",
        ),
        images.View(
            images.pixels(change), f"the change, ×{factor}", f"What the motion changes, magnified {factor} times"
        ),
    ]  # fmt: skip


with stage:
    views = cache.kept(moved, "moved", shown, model.card.sha)
    images.row(views, columns=3)
    page.watch(scores)

page.show(views)
page.ask(
    "How many of the classes can be reached through a motion of their own (in half of the cases or more)?",
    {"none": "None", "some": "Some of them", "all": "All of them"}, page.answer("reach"),
)  # fmt: skip
about = texts.of("Flareon")
amplified = getattr(model.trigger, "amplify", 1.0)
told = (
    f" This model was trained with motions **{amplified:g} times** those of the paper, so that it learns them in "
    "minutes; at the paper's size no pixel moves by more than half a pixel."
    if amplified != 1
    else ""
)
page.end(recipe, about, about.meaning + told, extra={"images": str(choice.index), "into": into})
