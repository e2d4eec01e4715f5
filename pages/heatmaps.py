"""Heatmaps: two methods, two models or two pictures side by side, at any layer."""

import dataclasses

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "heatmaps",
    "**Watch** two heatmaps of the same picture. Each is a claim about what the model uses, and claims can differ.",
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.views import heatmaps as views  # noqa: E402
from ui.widgets import jobs, knobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    import models
    from core.explain import CAM
    from lab import links, methods
    from lab.recipes import Recipe

names, known = model.class_names, page.methods
SAID, AGAINST = "what the model says", ["method", "model", "picture", "nothing"]
controls, stage = page.columns()

with controls:
    name = link.choose("Method", list(known), key="method")
    method = knobs.controls(known[name], without=["layer"])
    against = link.choose("Beside it", AGAINST, key="against")
    inputs: dict = {"images": choice.images}
    second, other = None, ""
    if against == "method":
        beside = link.choose("Second method", list(known), key="beside", index=list(known).index("IntegratedGradients"))
        second = known[beside]()
    elif against == "model":
        same = [card.ref for card in models.available() if card.data == model.card.data and card.ref != choice.model]
        other = st.selectbox("Second model", same, key="other", accept_new_options=True, **link.BOUND) or ""
        other = sidebar.spelled(other)
    elif against == "picture" and not choice.upload:
        inputs["images"] = [choice.index, link.whole("Second picture", 0, 99_999, 14, key="picture")]
    layer = ""
    if isinstance(method, CAM) or isinstance(second, CAM):
        with sidebar.ready():
            layer = link.choose("Layer", views.layers(choice, model), key="layer", help="Where a CAM takes its maps.")
    explained = link.choose("Class", [SAID, *names], key="explained", help="The class that the heatmaps explain.")
    signed = st.toggle("Signed", key="signed", help="Draw also what speaks against the class.", **link.BOUND)
    scale = link.pick("Scale", ["one", "each its own"], "each its own" if second else "one", key=f"scale-{against}")

with sidebar.ready():
    if explained != SAID:
        inputs["target"] = names.index(explained)
    at = {"layer": views.layer_of(layer)}
    method = dataclasses.replace(method, **at) if isinstance(method, CAM) else method
    second = dataclasses.replace(second, **at) if isinstance(second, CAM) else second
    inputs |= {"second": methods.to_dict(second)} if second is not None else {}
    inputs |= {"other": other} if other else {}
    recipe = Recipe(method, choice.model, choice.data, inputs)
    pictures = views.pictures(choice, model, inputs["images"])
    jobs.keep_fresh(page.slug, recipe)

says = {"map": name, "beside/map": type(second).__name__ if second else f"{name}, {other}"}
if other:
    says["map"] = f"{name}, {choice.model}"


def live(job):
    """The maps as far as they are, on their scale, and how far two of them agree."""
    if job is None or job.state in ("failed", "queued", "running"):
        page.progress(job)
    page.show(views.draw(job, pictures, says, names, signed, scale == "one"))
    if page.result is not None and "agreement" in page.result.figures:
        page.figures(job)


with stage:
    page.watch(live)
    jobs.refusal(page.slug)

page.ask(
    "How far will the two heatmaps order the pixels alike?",
    {"alike": "Much the same", "in part": "In part", "unlike": "Hardly, or not at all"},
    page.answer("beside") if against in ("method", "model") else None,
)
state = {
    "model": choice.model, "data": choice.data, "images": str(choice.index), "method": name, "against": against,
    "explained": explained, "signed": str(signed).lower(), f"scale-{against}": scale,
} | links.of_knobs(method)  # fmt: skip
state |= {"layer": layer} if layer else {}
state |= {"beside": type(second).__name__} if second else {}
state |= {"other": other} if other else {}
state |= {"picture": str(inputs["images"][1])} if len(inputs["images"]) == 2 else {}
page.end(recipe, texts.of(name), query=state, also=(texts.of(type(second).__name__),) if second else ())
