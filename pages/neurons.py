"""Neurons: which channels each defense suspects, which the trigger really moves, and what happens without them."""

import streamlit as st

from ui.run_page import RunPage

page = RunPage.open(
    "neurons",
    "**Watch** what a handful of channels set to zero does to the attack, and what as many random channels do.",
    "This page finds the channels that carry a backdoor, so it needs a model that has one.",
)

from ui import cache, navigation, neurons, sidebar, texts  # noqa: E402
from ui.charts import neurons as charts  # noqa: E402
from ui.widgets import clean_model, figures, jobs, link  # noqa: E402

choice = page.choice
with sidebar.ready():
    model = cache.model(choice)
    from core.metrics.rankings import highest
    from lab.channel_rankings import MAKERS
    from lab.kinds.shared.scoring import ACC, ASR, RA
    from lab.running.pool import pool
    from lab.settings import settings

if clean_model.notice(page, model):
    raise navigation.PageEnds
with sidebar.ready():
    layers = cache.kept(lambda: neurons.layers(model), "layers", choice.model, model.card.sha)
    before = neurons.zeroed(choice.model, choice.data, ())

CHART = "neurons-axes"
ZERO = ["the ranking's top", "TAC's top", "chosen channels"]
OUT, SHOWN = "out", "neurons-shown"
names = {ranking.name: ranking for ranking in neurons.RANKINGS}
controls, stage = page.columns()


def picked():
    """The point that was clicked is set to zero beside those that are; a second click takes it back."""
    if place := charts.clicked(CHART):
        now = neurons.changed(st.session_state.get(SHOWN, ()), place)
        st.session_state.update({OUT: neurons.written(now), "zero": ZERO[2]})


def reset():
    """Every channel is as it was."""
    st.session_state.update({OUT: "", "zero": ZERO[2]})


with controls, sidebar.ready():
    ranking = names[link.choose("Ranking", list(names), key="by", help="How a defense ranks the channels.")]
    st.caption(f"{ranking.about}. No defense sees a trigger.")
    form = link.pick(
        "Oracle: TAC", ["l2", "l1"], "l2", key="form",
        help="Trigger-activated change, how far the trigger moves a channel. l2: mean norm over the layer's own; l1: "
        "sum over pixels of the mean change. They need the trigger, and rank channels differently.",
    )  # fmt: skip
    recipe = neurons.recipe(ranking, choice, form, settings.control_n)
    if ranking.kind == "nwc":
        jobs.keep_fresh(page.slug, recipe)  # a few seconds; the others wait for the button
    page.start(recipe, "Rank")
    zero = link.choose("Set to zero", ZERO, key="zero")
    if zero == ZERO[2]:
        text = st.text_input(
            "Channels", key=OUT, help="Click points in the chart, or write layer:channel, …", **link.BOUND
        )
        chosen = neurons.read(text, layers)
    else:
        k = link.whole("Channels", 0, 200, 10, key="k", help=f"Of {sum(layers.values())} in {len(layers)} layers.")
    st.button("Reset", on_click=reset, icon=":material/restart_alt:", help="No channel is zero.", key="neurons-reset")

with stage:
    page.watch(lambda job: jobs.progress(job, None, "Press **Rank**."))
    with sidebar.ready():
        asked = {each: neurons.recipe(each, choice, form, settings.control_n) for each in names.values()}
        results = {each: pool().result(one) for each, one in asked.items()}
        known = {each: neurons.scores(result, each.kind) for each, result in results.items() if result is not None}
        tac = next((neurons.scores(result, "tac") for result in results.values() if result is not None), {})
        own = known.get(ranking, {})
        source = {ZERO[0]: own, ZERO[1]: tac}.get(zero, {})
        out = chosen if zero == ZERO[2] else tuple(highest(source, k)) if source else ()
        st.session_state[SHOWN] = out
        now = neurons.zeroed(choice.model, choice.data, out)
        control = neurons.zeroed(choice.model, choice.data, neurons.chance(tac, len(out))) if tac and out else None
    with st.grid(4, min_column_width=figures.NARROWEST, gap="xsmall"):
        for score in (ACC, ASR, RA):
            figures.metric(
                score, getattr(now, score.key), getattr(now, score.n),
                before=getattr(before, score.key) if out else None,
            )  # fmt: skip
        figures.share(
            "ASR, random channels", control.asr if control else None, before.n_asr, before=before.asr,
            help="The control: as many channels, drawn at random, set to zero instead.",
        )  # fmt: skip
    left, right = st.columns(2, gap="small")
    if tac:
        with left:
            runs = [asked[each].key() for each in known]
            if own:
                charts.axes(tac, own, ranking.name, out, runs=runs, key=CHART, picked=picked, height=330)
                st.caption("One point is one channel; click some to set them to zero. Upper right: both rank it high.")
            else:
                st.info(f"{ranking.name} has not been computed yet: press **Rank**.", icon=":material/info:")
        with right:
            charts.overlaps(tac, known, runs=runs, height=330)
            missing = ", ".join(each.name for each in names.values() if each not in known)
            st.caption(f"TAC is an **oracle** (form {form}). " + (f"Not run yet: {missing}." if missing else ""))

ranked = results[ranking]
ANSWERS = {"chance": "No more than chance", "in part": "More than chance", "agrees": "More than 60 %"}
page.ask(
    "How many of the top tenth of TAC's channels does this ranking find, without a trigger?", ANSWERS,
    None if ranked is None else ranked.conclusion,
)  # fmt: skip
state = {"model": choice.model, "data": choice.data, "by": ranking.name, "form": form, "zero": zero}
state |= {OUT: text} if zero == ZERO[2] else {"k": str(k)}
page.end(
    recipe,
    texts.of("TAC"),
    "A backdoor often sits in **few channels**. These defenses look for them without the trigger: by noise on the "
    "weights (ANP), by unlearning and recovery (RNP), by unlearning alone (TSBD's NWC), or from the weights as they "
    "are (CLP). TAC is the reference, and only whoever has the trigger can compute it. A ranking need not agree with "
    "TAC everywhere to be good: what counts is that zeroing its first channels removes the attack and keeps the "
    "accuracy, and that zeroing as many random channels does not.",
    query=state,
    also=(texts.of(type(MAKERS[ranking.kind]).__name__),),
    place=out[0] if out else None,
)
