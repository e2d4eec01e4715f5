"""The model that a run has left: taken up when the run has ended, drawn at the end of its page, run again on demand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from lab import run_names
from ui import model_choice
from ui.my_models import NAMES, TAKEN, label
from ui.navigation import PageEnds
from ui.visitor import visitor
from ui.widgets import jobs

if TYPE_CHECKING:
    from lab.results import Result
    from lab.running.job import Job

SLOT = "own-model"
"""The slot of a run that is repeated for its model."""


def take_up() -> None:
    """Make models of the visit's finished runs, each once."""
    from lab.own_models import own_models
    from lab.saving import owned

    taken: set[str] = st.session_state.setdefault(TAKEN, set())
    for job in [*jobs.started(), *filter(None, [jobs.current(SLOT)])]:
        if (result := left(job)) is not None and (name := result.recipe.to_json()) not in taken:
            taken.add(name)
            _visit(visitor())
            own_models.keep(visitor(), name, owned(result))


def left(job: Job) -> Result | None:
    """The result of a job that has ended, by itself or by Stop, and left a model that others can start from."""
    found = job.result if job.ended and job.recipe.kind.leaves_model else None
    if found is None or found.model is None or (found.stopped and "moments" not in found.recipe.inputs):
        return None  # stopped before its model was another than the one it began with
    return found


@st.cache_resource(scope="session", on_release=lambda name: _leave(name), show_spinner=False)
def _visit(name: str) -> str:
    """Kept as long as the visit lasts; its end gives the models back."""
    return name


def _leave(name: str) -> None:
    from lab.own_models import own_models

    own_models.leave(name)


def draw(job: Job | None) -> None:
    """At the end of a page: the model that its run has left, to use on every page, to rename and to download."""
    if job is None or (result := left(job)) is None:
        return
    from lab.own_models import own_models
    from lab.saving import zipped

    recipe = result.recipe.to_json()
    held = own_models.find(recipe)
    if held is None:
        return
    ref, name = held.card.ref, label(held.card.ref)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="my-model"):
        st.markdown(f":material/deployed_code: This run's model is in the sidebar's list as **{name}** for this visit.")
        st.button(
            "Use it on every page", icon=":material/check:", key="my-model-use",
            on_click=model_choice.choose, args=(ref,),
        )  # fmt: skip
        with st.popover("Rename", icon=":material/edit:"):
            st.text_input("Name", name, key="my-model-name", max_chars=60, on_change=_rename, args=(recipe,))
        file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "model"
        st.download_button(
            "Download", lambda: zipped(result, file), f"{file}.zip", "application/zip", icon=":material/download:",
            key="my-model-download", on_click="ignore",
            help="A folder with weights (float16), config, recipe and a model card; `models.load` opens it.",
        )  # fmt: skip


def _rename(recipe: str) -> None:
    if name := st.session_state["my-model-name"].strip():
        st.session_state.setdefault(NAMES, {})[recipe] = name


def require(ref: str) -> None:
    """Where `ref` names a run whose model this server does not hold, offer to repeat the run and end the page."""
    if not run_names.is_run(ref):
        return
    from lab.own_models import own_models
    from lab.recipes import Recipe
    from ui.sidebar import ready

    with ready():
        data, seconds = run_names.decode(ref)
        recipe = Recipe.from_dict(data)
    if own_models.find(recipe.to_json()) is not None:
        return
    runs = ", then ".join(type(link.method).__name__ for link in reversed(recipe.chain))
    took = f" Where it was made, that took {seconds:.0f} s." if seconds else ""
    st.info(
        f"The chosen model is what a run leaves ({runs}), and this server does not hold it.{took}",
        icon=":material/deployed_code:",
    )
    jobs.buttons(SLOT, recipe, "Run it again")
    jobs.watch(SLOT, jobs.progress)
    raise PageEnds
