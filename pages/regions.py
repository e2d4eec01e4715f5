"""Regions: attack only a part of a picture, and compare with an attack on all of it."""

import streamlit as st

from ui.run_page import RunPage, finished

page = RunPage.open(
    "regions", "**Watch** which change is enough. A regional attack may touch only the bright part of the picture."
)

from ui import cache, sidebar, texts  # noqa: E402
from ui.charts.ratios import ratios  # noqa: E402
from ui.errors import in_a_sentence  # noqa: E402
from ui.views import attack as views  # noqa: E402
from ui.views import regional  # noqa: E402
from ui.widgets import images, knobs, link, mask  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.attacks import FGSM, PGD, Regional
    from lab.recipes import Recipe

known = {cls.__name__: cls for cls in (Regional, PGD, FGSM)}
controls, stage = page.columns()

with controls:
    name = link.choose(
        "Attack", list(known), key="method",
        help="Regional changes one region, and the whole picture for comparison; PGD and FGSM may change every pixel.",
    )  # fmt: skip
    main, board, action, rest = st.container(), st.container(), st.container(), st.container()
    with main:
        attack = knobs.controls(known[name], folded=rest)
        if isinstance(attack, Regional):
            st.caption(regional.FAMILIES[attack.family])
    by_hand = getattr(attack, "family", "") == "drawn"
    inputs: dict = {}
    if by_hand:
        with board, sidebar.ready():
            drawn = mask.draw(cache.address(choice))
        inputs |= {"mask": drawn} if drawn else {}
    with rest:
        if name == "Regional":
            judge = sidebar.second_model(choice)
            inputs |= {"judge": judge} if judge != choice.model else {}
            beside = st.select_slider(
                "Other models", [0, 2, 4, 8, 16], 4, key="beside", **link.BOUND,
                help="Models that the examples are tried on afterwards: those of this visit, then shipped ones of the "
                "same data.",
            )  # fmt: skip
            tried = regional.others(choice, model, judge, beside)
            inputs |= {"judges": tried} if tried else {}
        with st.expander("Pictures and seed", icon=":material/burst_mode:"):
            many = st.select_slider(
                "Pictures", [1, 4, 16, 32], 4, key="many", **link.BOUND,
                help="Yours, and the first test pictures. More of them give firmer figures and take longer.",
            )  # fmt: skip
            seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed")
    inputs["images"] = choice.upload or [choice.index, *[i for i in range(40) if i != choice.index][: many - 1]]
    missing = by_hand and "mask" not in inputs
    with action, in_a_sentence():
        recipe = Recipe(attack, choice.model, choice.data, inputs, seed)
        page.start(None if missing else recipe, "Attack")
        if missing:
            st.caption("Mark at least one cell first.")


def live(job):
    """Progress, the scores, the pictures, and local against global."""
    page.progress(job, None if missing else recipe, "Press **Attack** and watch the picture change.")
    page.figures(job, asked=recipe)
    result = finished(job)
    rows = views.attacked(choice, attack, inputs, model, job)
    page.show([view for row in rows for view in row])
    left, right = st.columns([2.2, 1]) if len(rows) > 1 else (st.container(), None)
    with left:
        for row in rows:
            images.row(row, columns=max(2, len(row)))
    if right is not None and result is not None:
        with right:
            ratios(result.figures, result.counts, height=330)


with stage:
    page.watch(live)
    if (result := page.result) is not None and "transfer" in result.images:
        st.header("Who else is fooled", anchor=False)
        regional.transfer(result)
        st.header("The changes in frequency", anchor=False)
        regional.spectra(result)
        regional.loading(result)

if name == "Regional":
    page.ask(
        "Fewer pixels may change. Will the whole change (L2) be larger or smaller than without a region?",
        {"smaller": "Smaller", "same": "Neither, clearly", "larger": "Larger"}, page.answer("size"),
    )  # fmt: skip
if (result := page.result) is not None:
    regional.notes(result)
extra = {"images": str(choice.index), "many": str(many)}
extra |= {"judge": judge, "beside": str(beside)} if name == "Regional" else {}
page.end(recipe, texts.of(name), extra=extra)
