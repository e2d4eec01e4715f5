"""Detect: find what was triggered without knowing the trigger, and see how often that goes wrong."""

import streamlit as st

from ui import lesson

lesson.opening(
    "Detect",
    "**Watch** two heaps of scores, clean and triggered. A detector works where they part, and only there.",
)

from ui import cache, detect_views, errors, figures, frame, images, jobs, knobs, link, share, texts  # noqa: E402

choice = frame.chosen()
with frame.ready():
    model = cache.model(choice)
    from core.defenses import DETECTORS
    from lab.recipes import Recipe
    from lab.settings import settings

MAIN = {"STRIP": ("overlays", "blend"), "ActivationClustering": ("reduction", "rule"), "SpectralSignatures": ("eps",)}
SHARES = {"as trained": None, "10 %": 0.1, "5 %": 0.05, "2 %": 0.02, "1 %": 0.01}
known: dict = {cls.__name__: cls for cls in DETECTORS}
controls, stage = st.columns([1.1, 2.9], gap="medium")

with controls:
    name = link.choose(
        "Detector", list(known), key="method",
        help="STRIP judges single inputs; the other two search a training set by its given labels.",
    )  # fmt: skip
    inputs: dict = {"n": min(400, settings.control_n)}
    if known[name].suspects == "training data":
        inputs["n"] = 5 * settings.control_n
        rate = link.choose(
            "Poisoned share", list(SHARES), key="poison",
            help="How much of the training set carries the trigger. The model stays as it was trained.",
        )  # fmt: skip
        inputs |= {"rate": SHARES[rate]} if SHARES[rate] else {}
    method = knobs.controls(known[name], main=MAIN.get(name, ()))
    seed = link.whole("Seed", 0, 2**31 - 1, 0, key="seed", help="Same seed, same machine, same result.")
    with errors.in_a_sentence():
        recipe = Recipe(method, choice.model, choice.data, inputs, seed)
    jobs.buttons("detect", recipe, "Start")

with frame.ready():
    pictures = cache.pair(recipe, choice)


def live(job):
    """What stands on the right: progress, three figures, and what they are made of."""
    jobs.progress(job, recipe, "Nobody tells the detector which suspects carry the trigger. Press **Start**.")
    result = job.result if job and job.state == "done" else None
    found, counts = (result.figures, result.counts) if result else ({}, {})
    with figures.three():
        figures.number(
            "AUROC", found.get("auroc"), counts.get("auroc"), before=found.get("clean_model/auroc"),
            help="How often a triggered suspect scores above a clean one; 0.5 is chance, less is the wrong way round. "
            "Change: against the clean model. It knows no trigger, but in a training set it meets wrong labels.",
        )  # fmt: skip
        figures.share(
            "Found at 5 % alarms", found.get("tpr/5"), counts.get("tpr/5"), before=found.get("clean_model/tpr/5"),
            help="Share of the triggered suspects found while 5 % of the clean ones are flagged (TPR at 5 % FPR). "
            "Change: against the clean model.",
        )  # fmt: skip
        figures.share(
            "False alarms", found.get("own/fpr"), counts.get("own/fpr"), before=found.get("clean_model/own/fpr"),
            good="neither",
            help="Share of the clean suspects that the method flags at its own threshold. Change: against the clean "
            "model.",
        )  # fmt: skip
    if result is None:
        seen = cache.looked(f"model {choice.model}", f"{choice} {recipe.data}", "GradCAM", model, pictures)
        st.session_state["detect-views"] = views = detect_views.waiting(seen)
        images.row(views, columns=3)
        return
    detect_views.charts(result, model.class_names)
    st.session_state["detect-views"] = views = detect_views.blends(result, model.class_names)
    if views:
        images.row(views, columns=len(views) // 2)


with stage:
    jobs.watch("detect", live)

job = jobs.current("detect")
result = job.result if job is not None and job.state == "done" else None
GUESSES = ["Nearly all", "About half", "Hardly any"]


def outcome(result):
    """The right answer to the question, from the figures."""
    if result is None:
        return ""
    found = result.figures["tpr/5"]
    return GUESSES[0] if found > 0.75 else GUESSES[1] if found > 0.25 else GUESSES[2]


lesson.question(
    "How many of the triggered suspects will it find, at 5 % false alarms?", GUESSES, outcome(result),
    "Try the same detector on a warp, and a training set with less poison: each detector assumes something about "
    "the trigger, and fails where that does not hold.",
    key="detect", reveal=result is not None,
)  # fmt: skip
extra = {"images": str(choice.index)} | ({"poison": rate} if known[name].suspects == "training data" else {})
share.block("detect", recipe, job.result if job else None, st.session_state.get("detect-views", []), extra)
if result is not None and ("controls" in result.notes or "trigger" in result.notes):
    st.caption(" ".join(result.notes[key] for key in ("trigger", "controls") if key in result.notes))
about = texts.of(name)
lesson.meaning(about.meaning, about=about)
