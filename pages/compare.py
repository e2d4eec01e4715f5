"""Compare: one repair before, after and beside a model that was never backdoored; and all runs in one table."""

import streamlit as st

from ui.run_page import RunPage, live_figures

page = RunPage.open(
    "compare",
    "**Watch** whether the repaired model looks where the clean one looks, and is right again.",
    "**Watch** whether a repair changes where a model without a known backdoor looks, and how often it is right.",
)

from ui import cache, looks, sidebar, texts  # noqa: E402
from ui.charts.predictions import predictions  # noqa: E402
from ui.widgets import clean_model, finished_runs, images, jobs  # noqa: E402

choice = page.choice
with sidebar.ready():
    from lab.kinds.shared.scoring import ACCURACY

    recipe = finished_runs.asked(page)
    model = cache.model_of(recipe)
    job = jobs.adopt(page.slug, recipe)

clean_model.notice(page, model, recipe, forget=finished_runs.NAMED)
rows = finished_runs.rows(page.kind)
about, who = st.columns([1.9, 1], vertical_alignment="bottom")
with about:
    finished_runs.picker(recipe, rows)
with who:
    if job is None or job.state != "done":
        page.start(recipe, "Run it")


def live(job):
    """Progress, the scores, and six heatmaps on one scale: before, after, clean model; without and with trigger."""
    if job is not None and job.state != "done":
        jobs.progress(job)
    result = job.result if job is not None and job.ended and job.state != "failed" else None
    seen = looks.three(recipe, choice, model, result)
    triggered = len(next(iter(seen.values())).shares) > 1
    if live_figures(job)[0]:
        page.figures(job, only=() if triggered else ACCURACY)
    elif job is None:
        st.info(
            "This run is not in this server's memory. **Run it** to see it, or choose another one.",
            icon=":material/info:",
        )
    maps, shares = st.columns([1.05, 1], gap="medium")
    views = cache.kept(lambda: heatmaps(seen), "three", cache.run_key(recipe.key(), result), choice)
    with maps:
        images.row(page.show(views), columns=max(2, len(seen)))
        images.key(
            ("Upper row: the picture as it is. Lower row: with the trigger. " if triggered else "")
            + "High is the largest value **before**; larger ones of the other models are drawn as high."
        )
    with shares:
        st.caption(f"What each model says about the {'triggered ' if triggered else ''}picture.")
        names = next(iter(seen.values())).names
        predictions(names, {moment: look.shares[-1] for moment, look in seen.items()}, top=3, height=340)


def heatmaps(seen):
    """Upper row: the picture as it is; lower row: with the trigger."""
    count = len(next(iter(seen.values())).shares)
    drawn, _ = images.heat(*looks.tensors(*seen.values()), reference=count)
    return [
        images.View(
            drawn[count * j + i], f"{moment}  \n**{look.says(i)}**",
            f"Heatmap, {moment}, {'with' if i else 'without'} trigger: the model says {look.says(i)}",
        )
        for i in range(count)
        for j, (moment, look) in enumerate(seen.items())
    ]  # fmt: skip


page.watch(live)

finished_runs.table(page.kind, rows)
page.end(
    recipe,
    texts.DER,
    "**ACC** is the share of clean pictures that are right, **ASR** the share of triggered pictures that are put into "
    "the target class, **RA** the share of triggered pictures that are right all the same. A repair that only breaks "
    "the model has a low ASR and a low RA. **DER** puts ACC and ASR into one number: 1 when a perfect attack is gone "
    "at no cost, 0.5 when nothing changed. A single seed is a single draw: compare methods over several.",
    query={"recipe": recipe.to_json(), "images": str(choice.index)},
)
