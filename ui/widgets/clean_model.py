"""On a page about backdoors: that the chosen model has none, what a trigger scores on it all the same, and two ways on.

The score is that of page *Triggers* with its first settings. It is computed in the background, and gives way to
whatever else the visitor has running.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ui import model_choice
from ui.cache import held
from ui.errors import plain
from ui.opening import expected, remember
from ui.pages import PAGES, Page
from ui.sidebar import FIRST, OWN_DATA, PICTURE, chosen, own_data
from ui.visitor import visitor
from ui.widgets import jobs

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.results import Result
    from lab.running.job import Job
    from models import Classifier
    from ui.run_page import RunPage

SLOT = "clean-model"
"""The slot of the background run, one for all pages."""


def notice(
    page: RunPage, model: Classifier, recipe: Recipe | None = None, *, scored: bool = False, forget: Sequence[str] = ()
) -> bool:
    """Fit the page's opening to its model, now loaded, and draw the notice where that has no backdoor.

    recipe : the page's run, where that need not start from the sidebar's model
    scored : whether the page itself scores a trigger on the model
    forget : keys of the address and of the visit that name the run, for the way on with another model
    return : whether the model has no backdoor
    """
    choice = page.choice
    ref, data = (choice.model, choice.data) if recipe is None else (first_of(recipe), recipe.data)
    remember(ref, model.trigger is not None)
    clean = model.trigger is None and not (recipe is not None and any(map(_injects, recipe.chain[1:])))
    page.opening.fit(not clean)
    if clean:
        with st.container(border=True, key="clean-model", gap="small"):
            _says(ref, model)
            if scored:
                st.markdown("What a trigger scores on this page it scores **by itself**, without a known backdoor.")
            else:
                _worth(floor(ref, str(data)), model)
            _ways_on(page.page, ref, str(data), forget)
    return clean


def first_of(recipe: Recipe) -> str:
    """The name of the model that a page of this recipe calls the one before: see `cache.model_of`."""
    from lab.saving import ref_of

    inner = recipe.model
    return str(recipe.chain[-1].model) if isinstance(inner, str) or held(recipe) is None else ref_of(inner)


def _injects(link: Recipe) -> bool:
    """Whether a run of a chain leaves a model with a backdoor."""
    kinds = {page.kind for page in PAGES if page.injects}
    return link.kind.name in kinds or getattr(link.method, "poison", None) is not None


def _says(ref: str, model: Classifier) -> None:
    from lab.kinds.shared.no_backdoor import NONE_KNOWN, predicate

    told = predicate(model.card)
    unknown = told == NONE_KNOWN
    icon, rest = (":material/help:", " Nobody has checked it.") if unknown else (":material/verified:", "")
    st.markdown(f"{icon} **{plain(ValueError(ref))}** {told}.{rest}")


def floor(ref: str, data: str) -> Recipe:
    """The run that says what a trigger does to a model that has not learned it: the first one of page *Triggers*."""
    from core.triggers import BadNets
    from lab.recipes import Recipe

    return Recipe(BadNets(), ref, data, {"n": 400, "target": 0})


def _worth(recipe: Recipe, model: Classifier) -> None:
    """What the trigger scores, now or as soon as its run has ended."""
    job = _tried(recipe)
    refused = st.session_state.get(f"refused-{SLOT}")
    waiting = not refused and (job is None or not job.ended)

    def look() -> None:
        now = _tried(recipe) if waiting else job
        if now is not None and now.ended and waiting:
            st.rerun()
        if now is not None and now.state == "done" and now.result is not None:
            st.markdown(sentence(now.result, model))
        elif refused or (now is not None and now.state == "failed"):
            error = refused or plain(ValueError(now.error if now is not None else ""))
            st.caption(f"What a trigger scores on it cannot be measured here. {error}")
        elif now is None:
            st.caption("What a trigger scores on it is measured once your other run has ended.")
        else:
            now.seen(visitor())
            st.caption("A trigger is tried on it, to see what an attack success is worth here.")
            jobs.progress(now)

    st.fragment(look, run_every=jobs.POLL if waiting else None)()


def _tried(recipe: Recipe) -> Job | None:
    """The run of `recipe`, started where nothing else is going; None while something is, or where it was refused."""
    from lab.running.pool import pool

    job = jobs.current(SLOT)
    if job is not None and job.recipe == recipe and job.state in ("done", "failed"):
        return job
    if any(other is not job for other in pool().jobs_of(visitor())):
        jobs.stop(SLOT)
        return None
    job = jobs.keep_fresh(SLOT, recipe)
    return job if job is not None and job.recipe == recipe else None


def sentence(result: Result, model: Classifier) -> str:
    """What the trigger did to the model, and what that says of an attack success."""
    from lab.kinds.shared.words import of_all, percent

    low, high = result.interval("asr") or (0.0, 1.0)
    name, target = type(result.recipe.method).__name__, model.class_names[result.recipe.inputs["target"]]
    return (
        f"Stamped on test pictures, the trigger {name} leads {of_all(result.figures['asr'], result.counts['asr'])} to "
        f"**{target}** by itself (95 % interval: {percent(low)} to {percent(high)}). That is the floor here: an attack "
        "success of this size is no evidence of a backdoor."
    )


def _ways_on(page: Page, ref: str, data: str, forget: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for each in PAGES:
            if each.injects:
                st.button(
                    f"Put one in: {each.title}", key=f"clean-model-{each.slug}", icon=f":material/{each.icon}:",
                    help=each.help, on_click=_put_in, args=(each, ref, data),
                )  # fmt: skip
        other = page.model if expected(page.model) else FIRST
        st.button(
            "Go on with a model that has one", key="clean-model-other", icon=":material/swap_horiz:",
            help=f"{other}, with its own pictures", on_click=_go_on, args=(other, forget),
        )  # fmt: skip


def _put_in(page: Page, ref: str, data: str) -> None:
    """Open a page that puts a backdoor into `ref`."""
    st.session_state["data"] = OWN_DATA if data == own_data(ref) else data
    model_choice.choose(ref)
    st.switch_page(page.file, query_params={"v": "1"})


def _go_on(ref: str, forget: Sequence[str]) -> None:
    """Choose `ref` and its own data; a picture's number means nothing in another data set."""
    st.session_state["data"] = OWN_DATA
    if own_data(ref) != chosen().data:
        st.session_state["images"] = PICTURE
    model_choice.choose(ref)
    for key in forget:
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)
