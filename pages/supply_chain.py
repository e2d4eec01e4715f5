"""Supply chain: one line in the augmentation, and every class has a key to the model (Flareon)."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Supply chain",
    "**Watch** one added line of augmentation give every class a key. No label was changed, and the loss was not.",
)

from ui import cache, doors, figures, frame, images, jobs, knobs, link, share, stand_in, texts  # noqa: E402

choice = stand_in.any_to_any(frame.chosen())
with frame.ready():
    model = cache.model(choice)
    from core.metrics.any_to_any import sent
    from core.triggers import Flareon
    from lab.recipes import Recipe

names = model.class_names
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    into = link.choose("Send the picture to", names, index=min(3, len(names) - 1), key="into")
    trigger = knobs.controls(Flareon, main=("amplify",), base=model.trigger)
    rate = model.card.recipe["method"]["poison"]["rate"]
    st.markdown("**The attack**, in the shared training code:")
    st.code(
        "  x = augment(x)\n"
        f"+ x = move(x, τ[y], {rate:g})\n"
        "  loss = ce(f(x), y)",
        language="diff",
    )
    st.caption(
        f"τ: one field of motions per class, which moves {rate:.0%} of each batch. Whoever reads the code takes it for "
        "augmentation."
    )

with frame.ready():
    recipe = Recipe(trigger, choice.model, choice.data, {"n": 400})
    shown = {"images": choice.images, "target": names.index(into)}
    seen = cache.stamped_look(recipe.replace(inputs=recipe.inputs | shown).to_json(), "GradCAM")
    job = jobs.keep_fresh("supply_chain", recipe)


def scores(job):
    """Three figures over all targets, and the table of sources and triggers."""
    result = job.result if job is not None and job.state == "done" else None
    found, counts = (result.figures, result.counts) if result else ({}, {})
    by_target = [value for name, value in found.items() if name.startswith("asr/")]
    worst = ""
    if by_target:
        worst = f" Worst target {figures.percent(min(by_target))}, best {figures.percent(max(by_target))}."
    with figures.three():
        figures.share(
            "ASR, all targets", found.get("asr"), counts.get("asr"), before=found.get("clean_model/asr"),
            good="neither",
            help=f"Mean over the targets of the share of pictures of other classes that reach it.{worst} The change "
            "is against the clean model.",
        )  # fmt: skip
        figures.share(
            "ASR, clean model", found.get("clean_model/asr"), counts.get("clean_model/asr"), good="neither",
            help="The floor: the same motions on a model that was never backdoored.",
        )  # fmt: skip
        figures.share(
            "Accuracy (ACC)", found.get("acc"), counts.get("acc"), before=found.get("clean_model/acc"),
            help="Share of the pictures without motion that the model gets right. Change: against the clean model.",
        )  # fmt: skip
    if result is None:
        jobs.progress(job)
        return
    doors.sources(sent(result.images["answers"][1:]).tolist(), names)
    st.caption(
        f"Percent of the pictures of a class (row) that a trigger (column) sends to its class.{worst} Another wrong "
        f"class is opened in {figures.percent(found['cross_talk'])} of the cases."
    )


with stage:
    pictures, table = st.columns([1, 2.3], gap="medium")
    change, factor = images.magnified(seen.images[1] - seen.images[0])
    views = [
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
    with pictures:
        for view in views:
            images.show(view)
    with table:
        jobs.watch("supply_chain", scores)

GUESSES = ["Only the first one", "About half of them", "All of them"]
lesson.question(
    "How many of the classes can be reached through a motion of their own?", GUESSES, GUESSES[2],
    "A dirty-label backdoor has one target. Here the label that each picture already has says which key to train.",
    key="supply_chain", reveal=job is not None and job.state == "done",
)  # fmt: skip
share.block("supply_chain", recipe, job.result if job else None, views, {"images": str(choice.index), "into": into})
about = texts.of("Flareon")
amplified = getattr(model.trigger, "amplify", 1.0)
told = (
    f" This model was trained with motions **{amplified:g} times** those of the paper, so that it learns them in "
    "minutes; at the paper's size no pixel moves by more than half a pixel."
    if amplified != 1
    else ""
)
lesson.meaning(about.meaning + told, about=about)
