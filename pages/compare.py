"""Compare: one repair before, after and beside a model that was never backdoored; and all runs in one table."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Compare",
    "**Watch** whether the repaired model looks where the clean one looks, and is right again.",
)

from ui import cache, charts, figures, frame, images, jobs, runs, share, texts  # noqa: E402

choice = frame.chosen()
with frame.ready():
    recipe = runs.asked(choice)
    model = cache.model_of(recipe)
    job = jobs.adopt("compare", recipe, "defend")

about, who = st.columns([1.9, 1], vertical_alignment="bottom")
with about:
    runs.picker(recipe)
with who:
    if job is None or not job.ended or job.state != "done":
        jobs.buttons("compare", recipe, "Run it")


def live(job):
    """Progress, three figures, and six heatmaps on one scale: before, after, clean twin; without and with trigger."""
    if job is not None and job.state != "done":
        jobs.progress(job)
    result = job.result if job is not None and job.ended and job.state != "failed" else None
    if result is not None and "after/acc" in result.figures:
        counts = {name: result.counts.get(f"after/{name}", 0) for name in figures.WORDS}
        figures.repair(figures.moment(result, "after"), figures.moment(result, "before"), counts)
    elif job is None:
        st.info(
            "This run is not in this server's memory. **Run it** to see it, or choose another one.",
            icon=":material/info:",
        )
    looks = cache.three(recipe, choice, model, result)
    maps, shares = st.columns([1.05, 1], gap="medium")
    drawn, _ = images.heat(*cache.tensors(*looks.values()))
    count = len(next(iter(looks.values())).shares)
    st.session_state["compare-views"] = views = [
        images.View(
            drawn[count * j + i], f"{moment}  \n**{look.says(i)}**",
            f"Heatmap, {moment}, {'with' if i else 'without'} trigger: the model says {look.says(i)}",
        )
        for i in range(count)
        for j, (moment, look) in enumerate(looks.items())
    ]  # fmt: skip
    with maps:
        images.row(views, columns=len(looks))
        st.caption("Upper row: the picture as it is. Lower row: with the trigger. All heatmaps on one scale.")
    with shares:
        st.caption("What each model says about the triggered picture.")
        names = next(iter(looks.values())).names
        charts.predictions(names, {moment: look.shares[-1] for moment, look in looks.items()}, top=3, height=340)


with frame.ready():
    jobs.watch("compare", live)

runs.table(recipe)
result = job.result if job is not None else None
views = st.session_state.get("compare-views", [])
share.block("compare", recipe, result, views, {"recipe": recipe.to_json(), "images": str(choice.index)})
lesson.meaning(
    "**ACC** counts clean pictures, **ASR** triggered pictures that end in the target class, **RA** the same pictures "
    "that are right all the same. A repair that only breaks the model has a low ASR and a low RA. **DER** puts ACC and "
    "ASR into one number: 1 when the attack is gone at no cost, 0.5 when nothing happened. One seed is one throw: "
    "compare methods over several.",
    about=texts.DER,
)
