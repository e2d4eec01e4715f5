"""Regions: attack only a part of a picture, and compare with an attack on all of it."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Regions",
    "**Watch** how little has to change. The attack may touch only the bright region of the picture.",
)

from ui import cache, charts, errors, figures, frame, images, jobs, knobs, link, mask, share, texts, views  # noqa: E402

choice = frame.chosen()
with frame.ready():
    model = cache.model(choice)
    from core.attacks import FGSM, PGD, Regional
    from lab.recipes import Recipe

MAIN = {"Regional": ("family",), "PGD": ("eps", "steps"), "FGSM": ("eps",)}
known = {cls.__name__: cls for cls in (Regional, PGD, FGSM)}
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    name = link.choose(
        "Attack", list(known), key="method",
        help="Regional changes a region only and runs its global twin beside it; PGD and FGSM may change every pixel.",
    )  # fmt: skip
    main, board, action, rest = st.container(), st.container(), st.container(), st.container()
    with main:
        attack = knobs.controls(known[name], main=MAIN[name], folded=rest)
    by_hand = getattr(attack, "family", "") == "drawn"
    inputs: dict = {}
    if by_hand:
        with board, frame.ready():
            drawn = mask.draw(images.pixels(cache.region(choice, attack, {})[1]))
        inputs |= {"mask": drawn} if drawn else {}
    with rest:
        if name == "Regional":
            judges = frame.second_models(choice)
            judge = st.selectbox(
                "Judged by", list(judges), key="judge", accept_new_options=True, **link.BOUND,
                help="The attack follows one model and stops when this one is fooled: with a second model, a transfer.",
            )  # fmt: skip
            inputs |= {"judge": ref} if (ref := judges.get(judge) if judge in judges else frame.spelled(judge)) else {}
        with st.expander("Pictures and seed", icon=":material/burst_mode:"):
            many = st.select_slider(
                "Pictures", [1, 4, 16, 32], 4, key="many", **link.BOUND,
                help="Yours, and the first test pictures. Figures say more with more of them, and take longer.",
            )  # fmt: skip
            seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed")
    inputs["images"] = choice.upload or [choice.index, *[i for i in range(40) if i != choice.index][: many - 1]]
    missing = by_hand and "mask" not in inputs
    with action, errors.in_a_sentence():
        recipe = Recipe(attack, choice.model, choice.data, inputs, seed)
        jobs.buttons("regions", None if missing else recipe, "Attack")
        if missing:
            st.caption("Mark at least one cell first.")


def live(job):
    """What stands on the right: progress, three figures, the pictures, the comparison."""
    jobs.progress(job, None if missing else recipe, "Press **Attack** and watch the picture change.")
    result = job.result if job and job.state == "done" else None
    found, counts = (result.figures, result.counts) if result else ({}, {})
    local = "In the region" if name == "Regional" else "The attack"
    with figures.three():
        figures.share(
            f"{local}: fooled", found.get("success"), counts.get("success"), before=found.get("control/success"),
            good="neither",
            help="Share of the pictures, right before, whose class the judge no longer names. Change: against noise.",
        )  # fmt: skip
        figures.share(
            "Whole picture: fooled", found.get("global/success"), counts.get("global/success"), good="neither",
            help="The same attack with every pixel free, the same targets, steps and stop.",
        )  # fmt: skip
        figures.share(
            "Random noise: fooled", found.get("control/success"), counts.get("control/success"), good="neither",
            help="The control: a change of exactly the same size with random signs.",
        )  # fmt: skip
    rows = views.attacked(choice, attack, inputs, model, job)
    st.session_state["regions-views"] = [view for row in rows for view in row]
    left, right = st.columns([2.2, 1]) if len(rows) > 1 else (st.container(), None)
    with left:
        for row in rows:
            images.row(row, columns=max(2, len(row)))
    if right is not None:
        with right:
            charts.ratios(found, counts, height=330)


with stage, frame.ready():
    jobs.watch("regions", live)

job = jobs.current("regions")
result = job.result if job is not None and job.state == "done" else None
lower = result.figures.get("median/l2") if result else None
lesson.question(
    "Fewer pixels may change. Will the whole change (L2) be larger or smaller than without a region?",
    ["Smaller", "About the same", "Larger"],
    "" if lower is None else "Smaller" if lower < 0.9 else "Larger" if lower > 1.1 else "About the same",
    "Each pixel in the region is pushed further, but far fewer are pushed.", key="regions", reveal=lower is not None,
)  # fmt: skip
share.block(
    "regions", recipe, job.result if job else None, st.session_state.get("regions-views", []),
    {"images": str(choice.index), "many": str(many)} | ({"judge": judge} if name == "Regional" else {}),
)  # fmt: skip
if result is not None and result.notes:
    st.caption(" ".join(f"{key.capitalize().replace('_', ' ')}: {text}." for key, text in result.notes.items()))
about = texts.of(name)
lesson.meaning(about.meaning, about=about)
