"""What every page with a run does alike: its job, its result, its pictures, what came out, and sharing it.

A page reads top to bottom: `RunPage.open`, controls, `start`, `watch`, `ask`, `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import arrival, sidebar
from ui.charts.curve import curve
from ui.errors import in_a_sentence
from ui.opening import Opening
from ui.pages import Page, page_of
from ui.sidebar import Choice
from ui.widgets import chapters, expected, figures, jobs, lesson, my_model, share, steps, words
from ui.widgets.copy_link import Query
from ui.widgets.images import View

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.knobs import Method
    from lab.kinds.kind import Conclusion, Kind
    from lab.recipes import Recipe
    from lab.results import Result
    from lab.running.job import Job
    from ui.texts import Text
    from ui.texts.text import Place

Figures = tuple[Mapping[str, float], Mapping[str, int]]
"""Figures, and the n behind them."""


@dataclass(frozen=True)
class RunPage:
    """One page with a run, as this visitor has it open.

    page : its row
    opening : its title and first sentence, as drawn
    notes : a place below the opening
    """

    page: Page
    opening: Opening
    notes: DeltaGenerator

    @classmethod
    def open(cls, slug: str, watch: str, clean: str = "") -> RunPage:
        """Draw the title and the sentence on what to watch: the first thing a visitor reads, before torch is loaded.

        clean : that sentence where the chosen model has no backdoor; "" where it is the same
        """
        page = page_of(slug)
        opening = Opening(page.title, watch, clean or watch, sidebar.chosen().model)
        return cls(page, opening, st.container())

    @property
    def slug(self) -> str:
        return self.page.slug

    @property
    def choice(self) -> Choice:
        """Model and picture, as the sidebar has them."""
        return sidebar.chosen()

    @property
    def kind(self) -> Kind:
        """The kind of experiment that the page runs."""
        from lab.kinds import kinds

        return kinds()[self.page.kind]

    @property
    def methods(self) -> dict[str, type[Method]]:
        """The methods that the page offers, by name."""
        return {cls.__name__: cls for cls in self.kind.methods}

    @property
    def job(self) -> Job | None:
        """The run that the page started last."""
        return jobs.current(self.slug)

    @property
    def result(self) -> Result | None:
        """What that run left, once it has finished."""
        return finished(self.job)

    @property
    def views(self) -> list[View]:
        """The pictures that the page shows, for its downloads."""
        return st.session_state.get(f"{self.slug}-views", [])

    def show(self, views: Sequence[View]) -> list[View]:
        """Keep `views` as the page's pictures, and hand them on to be drawn."""
        st.session_state[f"{self.slug}-views"] = list(views)
        return self.views

    def columns(self) -> tuple[DeltaGenerator, DeltaGenerator]:
        """Where the controls go, and where what they show goes: beside each other, on a phone below each other.

        The stage stands first, so that a phone shows results before controls.
        """
        stage, controls = st.columns([2.9, 1.1], gap="medium")
        return controls, stage

    def start(self, recipe: Recipe | None, label: str = "Start") -> None:
        """The buttons that start and stop the run, or a link in their place; no `recipe` while something is missing.

        A model and data whose classes are known not to fit end the page here, before any picture is asked for.
        """
        if recipe is not None:
            from lab import fit

            with self.notes, in_a_sentence(then=sidebar.offer_scenes):
                fit.require(recipe)
        arrival.follow(self.slug, recipe)
        st.session_state[f"{self.slug}-label"] = label
        jobs.buttons(self.slug, recipe, label)
        if recipe is not None and (self.job is None or self.job.ended):
            expected.time_of(recipe)

    def watch(self, draw: Callable[[Job | None], None]) -> None:
        """Draw the job now and, while it runs, again and again."""
        jobs.watch(self.slug, draw)

    def progress(self, job: Job | None, recipe: Recipe | None = None, hint: str = "") -> None:
        """How far the run is; a result of other settings than `recipe` names the button that replaces it."""
        jobs.progress(job, recipe, hint, st.session_state.get(f"{self.slug}-label", "Start"))

    def figures(
        self, job: Job | None, start: Figures = ({}, {}), *, asked: Recipe | None = None, only: Collection[str] = ()
    ) -> None:
        """The scores of the page's kind: of a result, of a run as it goes on, else those of `start`.

        Figures of other settings are grey: of a run that is not `asked`, and the last ones, which stay until those
        of the new run are there. `only` names the scores that can be had, where that is not all of them.
        """
        scores = [score for score in self.kind.scores if not only or score.key in only]
        found, kept = live_figures(job), f"{self.slug}-figures"
        shown = found if found[0] else start
        stale = bool(found[0]) and job is not None and asked is not None and job.recipe != asked
        waiting = not shown[0] and job is not None and not job.ended and kept in st.session_state
        if waiting:
            shown = st.session_state[kept]
        elif found[0]:
            st.session_state[kept] = found
        figures.row(scores, *shown, faded=stale or waiting)
        if told := figures.compared(scores, *shown):
            st.caption(told)
        if waiting:
            st.caption(":material/history: Grey figures belong to the former settings, until the new ones are there.")

    def draw(self, job: Job | None, recipe: Recipe, hint: str = "") -> None:
        """Progress, figures and curve: all that a run without pictures has to show."""
        self.progress(job, recipe, hint)
        self.figures(job, asked=recipe)
        curve(job.curve if job else [], self.kind.scores, height=360)

    def answer(self, question: str = "", result: Result | None = None) -> Conclusion | None:
        """What the run, or another `result`, says to a question of the page's kind, "" for how it came out; None before
        it has finished."""
        if (result := result or self.result) is None:
            return None
        return self.kind.questions[question].conclude(result) if question else result.conclusion

    def ask(self, text: str, answers: Mapping[str, str], found: Conclusion | None) -> None:
        """Predict, then check against `found`; `answers` has the answer to each outcome that answers the question.

        The reason is told here, unless it is part of what came out of the run, which `end` tells.
        """
        came_out = self.answer()
        below = found is not None and came_out is not None and found.text in came_out.text
        lesson.question(text, answers, found, told_below=below, key=self.slug)

    def end(
        self,
        recipe: Recipe,
        about: Text,
        meaning: str = "",
        *,
        extra: Mapping[str, str] | None = None,
        query: Query | None = None,
        also: Sequence[Text] = (),
        place: Place | None = None,
    ) -> None:
        """What came out, link and downloads, and what it means.

        also, place : further texts, and the channel that the page has chosen, whose formulas are shown step by step
        extra : what the link says beside the recipe; query : what it says instead, where the page is not one run
        """
        job = self.job
        if (came_out := self.answer()) is not None:
            st.markdown(f"**What came out.** {came_out.text}")
            words.row(came_out.text, "outcome")
        told = {} if self.result is None else self.result.notes
        for note, icon in (("memory", "memory"), ("split", "call_split")):
            if note in told:
                st.caption(f":material/{icon}: {told[note]}")
        my_model.draw(self.job)
        chapters.onward(self.slug, came_out is not None)
        share.block(self.page, recipe, job.result if job else None, self.views, extra, query=query)
        lesson.meaning(meaning or about.meaning, about=about)
        steps.expander(self.result, [about, *also], place)


def finished(job: Job | None) -> Result | None:
    """The result of a run that has finished by itself."""
    return job.result if job is not None and job.state == "done" else None


def live_figures(job: Job | None) -> Figures:
    """Those of a run as it stands: of its result where it has ended, else of its last live scores."""
    if job is None or job.state == "failed":
        return {}, {}
    from lab.running.stopped import stopped

    result: Any = job.result if job.ended else stopped(job.recipe, job.curve, None)
    return (result.figures, result.counts) if result is not None else ({}, {})
