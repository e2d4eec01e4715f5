"""Defend: repair a backdoored model and watch accuracy and attack success move while it happens."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Defend",
    "**Watch** attack success (ASR) fall while accuracy (ACC) stays. The defense sees clean pictures only.",
)

from ui import cache, charts, errors, figures, frame, inversion, jobs, knobs, link, moments, share, texts  # noqa: E402

choice = frame.chosen()
with frame.ready():
    model = cache.model(choice)
    from core.defenses import DEFENSES
    from lab.recipes import Recipe
    from lab.settings import settings

MAIN = {
    "TSBD": ("neuron_ratio", "unlearn_steps", "steps"), "FineTuning": ("steps", "lr"),
    "FinePruning": ("prune_ratio", "steps"),
    "NAD": ("teacher_steps", "steps"), "ANP": ("threshold", "steps", "eps"), "CLP": ("u",),
    "RNP": ("threshold", "unlearn_steps", "steps"),
    "NeuralCleanse": ("epochs", "limit", "steps"), "IBAU": ("rounds", "iterations", "lr"),
    "FTSAM": ("steps", "rho", "lr"), "SAU": ("steps", "eps", "lr"),
}  # fmt: skip
known = {cls.__name__: cls for cls in DEFENSES}
first = "TSBD" if "TSBD" in known else next(iter(known))
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    name = link.choose("Defense", list(known), index=list(known).index(first), key="method")
    method = knobs.controls(known[name], main=MAIN.get(name, ()))
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Same seed, same machine, same result.")
    with errors.in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, {"n": settings.control_n}, seed)
    jobs.buttons("defend", recipe, "Start")

with frame.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """What stands on the right: progress, three figures, the curve, the picture before and now."""
    jobs.progress(job, recipe, "The model as it is. Press **Start**: the curve grows, and the heatmaps follow.")
    points = job.curve if job and any("acc" in point for point in job.curve) else cache.card_scores(model)
    scored = [point for point in points if "acc" in point]
    result = job.result if job and job.ended else None
    if result is not None and "after/acc" in result.figures:
        before, now = figures.moment(result, "before"), figures.moment(result, "after")
        counts = {name: result.counts.get(f"after/{name}", 0) for name in figures.WORDS}
    else:
        before = next((point for point in scored if point["stage"] == "before"), {})
        now = scored[-1] if scored else {}
        counts = {"acc": int(now.get("n", 0)), "asr": int(now.get("n_asr", 0)), "ra": int(now.get("n_asr", 0))}
    figures.repair(now, before if now is not before else {}, counts)
    curve, views = st.columns([1.35, 1], gap="small")
    with curve:
        charts.curve(points, height=360)
    with views:
        moments.before_and_now("defend", "the defense", choice, recipe, model, pictures, job)


with stage:
    jobs.watch("defend", live)


def outcome(result):
    """The right answer to the question, from the figures."""
    if result is None or "after/asr" not in result.figures:
        return ""
    left = result.figures["after/asr"] / max(1e-9, result.figures["before/asr"])
    return GUESSES[0] if result.figures["after/asr"] < 0.1 else GUESSES[1] if left < 0.75 else GUESSES[2]


GUESSES = ["Falls below 10 %", "Falls, but not so far", "Stays"]
job = jobs.current("defend")
result = job.result if job is not None and job.state == "done" else None
lesson.question(
    "What will happen to the attack success?", GUESSES,
    outcome(result), "Look at RA beside it: triggered pictures should be right again, not just differently wrong.",
    key="defend", reveal=result is not None,
)  # fmt: skip
views = st.session_state.get("defend-views", [])
share.block("defend", recipe, job.result if job else None, views, {"images": str(choice.index)})
if result is not None:
    st.page_link(
        "compare.py", label="Compare with the clean twin and with other runs", icon=":material/balance:",
        query_params={"v": "1", "recipe": result.recipe.to_json()},
    )  # fmt: skip
    if "masks" in (found := getattr(result.model, "report", {})):
        inversion.patches(found, model.class_names)
    suffix = "/triggered" if "confusion/before/triggered" in result.images else ""
    if f"confusion/before{suffix}" in result.images:
        st.subheader("What the model says about each class" + (", with the trigger" if suffix else ""), anchor=False)
        for column, moment in zip(st.columns(2), ("before", "after"), strict=True):
            with column:
                charts.confusion(
                    result.images[f"confusion/{moment}{suffix}"].tolist(), model.class_names, moment.capitalize()
                )

about = texts.of(name)
lesson.meaning(about.meaning or "The defense changes the model's weights with a few clean pictures only.", about=about)
