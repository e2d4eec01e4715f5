"""Re-activate: a tiny universal perturbation wakes what a defense put to sleep, or it does not."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Re-activate",
    "**Watch** the gap between two bars: with the trigger and without it. A gap says that the backdoor only slept.",
)

from ui import bars, cache, errors, figures, frame, images, jobs, knobs, link, share, texts  # noqa: E402

choice = frame.chosen()
with frame.ready():
    model = cache.model(choice)
    from core.attacks import ReActivation
    from core.defenses import DEFENSES
    from lab import links
    from lab.recipes import Recipe
    from lab.settings import settings

    if model.trigger is None:
        raise ValueError(f"{choice.model} has no backdoor that could be woken; choose another model in the sidebar.")

known = {cls.__name__: cls for cls in DEFENSES}
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    name = link.choose(
        "After the defense", list(known), index=list(known).index("TSBD"), key="defense",
        help="With its default settings. It runs first, unless this server knows its result already.",
    )  # fmt: skip
    method = knobs.controls(ReActivation, main=("threat", "eps"))
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Of the defense and of the attack.")
    with errors.in_a_sentence():
        repaired = Recipe(known[name](), choice.model, choice.data, {"n": settings.control_n}, seed)
        recipe = Recipe(method, repaired, choice.data, {"n": min(300, settings.control_n)}, seed)
    jobs.buttons("reactivate", recipe, "Wake it")

with frame.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """Progress, three figures, the five bars and the curve over the budget."""
    jobs.progress(job, recipe, f"{name} first, then the attack on what it leaves. Press **Wake it**.")
    result = job.result if job and job.state == "done" else None
    found, counts = (result.figures, result.counts) if result else ({}, {})
    with figures.three():
        figures.share(
            "Trigger + perturbation", found.get("asr/reactivated"), counts.get("asr/reactivated"),
            before=found.get("asr/trigger"), good="neither",
            help="Attack success on the repaired model with both. Change: against the trigger alone.",
        )  # fmt: skip
        figures.share(
            "Universal, no trigger", found.get("asr/clean_universal"), counts.get("asr/clean_universal"),
            good="neither",
            help="The control: a perturbation of the same size, found on pictures without trigger. A small network "
            "follows such a thing anyhow; only what lies above this bar speaks of a backdoor.",
        )  # fmt: skip
        figures.number(
            "Backdoor left (BEC)", found.get("bec"), None,
            help="Backdoor existence coefficient: how alike the trigger's channels still are, 1 for the backdoored "
            "and 0 for the clean model. Values outside this range are shown as they are."
            + (f" {result.notes['bec']}." if result and "bec" in result.notes else ""),
        )  # fmt: skip
    if result is None:
        images.row(waiting(), columns=3)
        return
    bec = found.get("bec")
    if bec is not None and not 0 <= bec <= 1:
        st.caption(":material/flag: BEC lies outside 0 to 1: by this measure the repaired model is further from the "
                   "backdoored one than the clean model is, or closer than itself.")  # fmt: skip
    left, right = st.columns(2, gap="small")
    with left:
        bars.five(found, height=400)
    with right:
        bars.over_budget(found, result.images["budgets"].tolist(), height=400)
    gaps = [
        f"{word} {100 * found[head + 'gap']:+.1f} pp" for head, word in bars.MODELS.items() if f"{head}gap" in found
    ]
    st.caption(
        f"**Gap** at the full budget, with the trigger minus without: {', '.join(gaps)}. "
        f"n = {counts['asr/trigger']} pictures per bar, one seed."
    )
    st.session_state["reactivate-views"] = views = woken(result)
    images.row(views, columns=4)


def waiting():
    """The chosen picture, without and with its trigger."""
    words = ("plain", "with the trigger")[: len(pictures)]
    return [
        images.View(images.pixels(one), word, f"The chosen picture, {word}")
        for one, word in zip(pictures, words, strict=True)
    ]


def woken(result):
    """One picture, plain, with trigger, with both; and the perturbation, magnified."""
    change, factor = images.magnified(result.images["delta"])
    views = []
    for key, word in (("original", "plain"), ("triggered", "trigger"), ("reactivated", "trigger + perturbation")):
        says = model.class_names[result.per_image[key][0]]
        views.append(
            images.View(
                images.pixels(result.images[key][0]), f"{word}  \n**{says}**", f"{word}: the repaired model says {says}"
            )
        )
    told = f"the perturbation, ×{factor}"
    return [*views, images.View(images.pixels(change), told, f"The perturbation, magnified {factor} times")]


with stage:
    jobs.watch("reactivate", live)

job = jobs.current("reactivate")
result = job.result if job is not None and job.state == "done" else None
GUESSES = ["Far above the control", "About the same as the control"]
right = "" if result is None else GUESSES[0 if result.figures["gap"] > 0.2 else 1]
lesson.question(
    "Trigger and perturbation together: how far above the same perturbation without a trigger?", GUESSES, right,
    "The bare success proves nothing; a universal perturbation of this size fools a small clean model too.",
    key="reactivate", reveal=result is not None,
)  # fmt: skip
share.block(
    "reactivate", recipe, job.result if job else None, st.session_state.get("reactivate-views", []),
    query={"model": choice.model, "data": choice.data, "defense": name, "seed": str(seed), **links.of_knobs(method)},
)  # fmt: skip
about = texts.of("ReActivation")
lesson.meaning(about.meaning, about=about)
