"""The job panel: start, watch, stop. A page submits a recipe and draws what the job says; it never waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui.errors import plain
from ui.pages import PAGES, page_of
from ui.sidebar import ready
from ui.visitor import visitor
from ui.widgets import arriving

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.running.job import Job

POLL = 0.5
"""Seconds between two looks at a running job."""

WAITING = 2.0
"""Seconds between two looks at a job that waits in the queue."""


def current(slot: str) -> Job | None:
    """The job that this page started last."""
    return st.session_state.get(f"job-{slot}")


def start(slot: str, recipe: Recipe) -> None:
    """Submit `recipe`; what this page ran before is stopped. A refusal is kept and shown as one sentence."""
    from lab.running.pool import pool

    stop(slot)
    st.session_state.pop(f"refused-{slot}", None)
    try:
        st.session_state[f"job-{slot}"] = pool().submit(recipe, visitor())
    except ValueError as error:
        st.session_state[f"refused-{slot}"] = plain(error)


def stop(slot: str) -> None:
    """This visitor no longer wants the page's job."""
    job = current(slot)
    if job is not None and not job.ended:
        job.stop(visitor())


def keep_fresh(slot: str, recipe: Recipe) -> Job | None:
    """The job of exactly this recipe, started at once where it is another: for small figures that follow a slider."""
    job = current(slot)
    if job is None or job.recipe != recipe or job.state == "stopped":
        start(slot, recipe)
    return current(slot)


def buttons(slot: str, recipe: Recipe | None, label: str = "Start") -> None:
    """Start and Stop, and the sentence of a refusal."""
    job = current(slot)
    running = job is not None and not job.ended
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Not a callback: that would be given the recipe of the last run, without the value just typed.
        begin = st.button(
            label, key=f"{slot}-start", type="primary", icon=":material/play_arrow:", disabled=running or recipe is None
        )
        end = st.button("Stop", key=f"{slot}-stop", icon=":material/stop:", disabled=not running)
    if begin and recipe is not None:
        start(slot, recipe)
        st.rerun()
    if end:
        stop(slot)
    refusal(slot)


def refusal(slot: str) -> None:
    """Why the pool did not take the page's run, if it did not."""
    if refused := st.session_state.get(f"refused-{slot}"):
        st.error(refused, icon=":material/error:")


def watch(slot: str, draw: Callable[[Job | None], None]) -> None:
    """Draw the job now and, while it waits or runs, again and again; the whole page once more when that changes."""
    job = current(slot)
    state = "" if job is None else job.state

    def look() -> None:
        if job is not None:
            job.seen(visitor())
        with ready():  # an error inside a fragment does not reach the code around it
            draw(job)
        if job is not None and job.state != state:
            st.rerun()

    st.fragment(look, run_every={"queued": WAITING, "running": POLL}.get(state))()


def progress(job: Job | None, recipe: Recipe | None = None, hint: str = "", button: str = "Start") -> None:
    """One bar for the whole run, with stage, step and time left, or the place in the queue.

    One line when the run has ended, `hint` before there is one; `button` is what starts a run of `recipe`, where the
    one that is shown had other settings.
    """
    if job is None:
        if hint:
            st.caption(hint)
        return
    if job.state == "queued":
        st.progress(0.0, text=f"Waiting: place {job.place} in the queue.")
    elif job.state == "running":
        from lab import downloads

        now = job.progress
        told = "Starting."
        if now is not None:
            told = f"{now.stage[:1].upper()}{now.stage[1:]}: step {now.step} of {now.total}{_left(job)}"
        base = job.recipe.chain[-1]
        if (file := downloads.on_the_way(base.model, base.data)) is not None:
            told = arriving.told(file)
        st.progress(job.share, text=told)
    elif job.state == "failed":
        st.error(plain(ValueError(job.error)), icon=":material/error:")
    else:
        took = job.result.seconds if job.result is not None else 0.0
        word = "Stopped" if job.state == "stopped" else "Finished"
        st.caption(f":material/{'stop_circle' if word == 'Stopped' else 'check_circle'}: {word} after {took:.1f} s.")
    if recipe is not None and job.recipe != recipe:
        told = f"Shown for the settings it was started with. Press **{button}** for the new ones."
        st.caption(f":material/history: {told}")


def _left(job: Job) -> str:
    left, whole = job.seconds_left
    if left is None:
        return "."
    if left < 1:
        return ", nearly done." if whole else ", stage nearly done."
    return f", about {left:.0f} s left{'' if whole else ' in this stage'}."


def started() -> list[Job]:
    """The runs that this visitor started last, one for each page that has one."""
    found = (current(page.slug) for page in PAGES)
    return [job for job in found if job is not None]


def adopt(slot: str, recipe: Recipe) -> Job | None:
    """The run of this recipe that a page of this visit has started; else a result that is still kept.

    Never a new run: a link to a run that this server does not know offers Start.
    """
    from lab.running.pool import pool

    own = current(slot)
    for job in ([own] if own is not None else []) + started():
        if job.recipe == recipe:
            st.session_state[f"job-{slot}"] = job
            return job
    stop(slot)
    known = pool().result(recipe) is not None
    kept = st.session_state[f"job-{slot}"] = pool().submit(recipe, visitor()) if known else None
    return kept


def elsewhere(page: str) -> None:
    """In the sidebar: what still runs for this visitor on another page. Looking at it keeps it alive."""
    others = [each.slug for each in PAGES if each.slug != page]
    if not any((job := current(slot)) is not None and not job.ended for slot in others):
        return

    def look() -> None:
        for slot in others:
            job = current(slot)
            if job is None or job.ended:
                continue
            job.seen(visitor())
            now = job.progress
            told = f"{now.stage}, step {now.step} of {now.total}" if now is not None else "waiting"
            st.caption(f":material/hourglass_top: {page_of(slot).title}: {told}")

    with st.sidebar:
        st.fragment(look, run_every=4)()
