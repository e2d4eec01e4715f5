"""Smaller parts: names of models, links, tables, sentences, stage marks."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core.defenses import FineTuning
from core.runs import Progress
from lab.kinds.kind import Score
from lab.recipes import Recipe
from lab.results import Result
from lab.settings import settings
from ui.charts import curve, line_legend
from ui.errors import plain
from ui.sidebar import spelled
from ui.widgets import copy_link, figures, jobs, share

RECIPE = Recipe(FineTuning(steps=5), "zoo:scenes-badnets", "scenes", {"n": 50}, seed=2)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("owner/name", "hf:owner/name"),
        (" owner/name@abc ", "hf:owner/name@abc"),
        ("zoo:scenes-clean", "zoo:scenes-clean"),
        ("hf:a/b", "hf:a/b"),
        ("./folder/here", "./folder/here"),
    ],
)
def test_a_typed_model_is_understood(typed, meant):
    assert spelled(typed) == meant


def test_a_link_is_built_from_the_public_host_and_gives_the_recipe_back():
    object.__setattr__(settings, "public_host", "lab.example.org")
    try:
        address = urlsplit(copy_link.link("defend", RECIPE.to_query()))
    finally:
        object.__setattr__(settings, "public_host", "")
    assert (address.scheme, address.netloc, address.path) == ("https", "lab.example.org", "/defend")
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert query["v"] == "1" and Recipe.from_query(query) == RECIPE


def test_the_controls_of_a_trigger_are_told_with_their_n():
    assert figures.trigger_controls({"asr": 1.0}, {"asr": 9}) == ""
    shares, counts = {"brightened/asr": 0.02, "cross_acc": 0.875}, {"brightened/asr": 90, "cross_acc": 100}
    told = figures.trigger_controls(shares, counts)
    assert "2.0 % of the cases (n = 90)" in told and "87.5 % keep their true class (n = 100)" in told


ASKED = Score("fooled", "Fooled", better="up")


def shown(draw: Callable[[], None]) -> AppTest:
    """What `draw` puts on a page."""
    app = AppTest.from_string("import streamlit as st\nst.session_state['draw']()")
    app.session_state["draw"] = draw
    return app.run()


def test_a_share_of_a_few_pictures_is_a_count_and_of_more_a_percentage():
    few = shown(lambda: figures.metric(ASKED, 0.75, 4, before=1.0)).metric[0]
    assert (few.value, few.delta) == ("3 of 4", "-1 picture")
    many = shown(lambda: figures.metric(ASKED, 0.75, 20, before=1.0)).metric[0]
    assert (many.value, many.delta) == ("75.0 %", "-25.0 pp, n = 20")
    assert shown(lambda: figures.metric(ASKED, 0.75, 4)).metric[0].delta == ""


def test_a_legend_of_lines_shows_strokes_that_are_long_enough_for_their_dashes():
    legend = line_legend(orient="bottom").to_dict()
    assert legend["symbolType"] == "stroke" and legend["symbolSize"] >= 400


def test_figures_of_former_settings_are_grey_and_welcome_nothing():
    former = shown(lambda: figures.metric(ASKED, 0.75, 40, before=1.0, faded=True)).metric[0]
    assert former.value == ":gray[75.0 %]" and former.proto.color == former.proto.GRAY


def test_a_result_of_other_settings_names_the_pages_own_button():
    job = SimpleNamespace(state="done", recipe=RECIPE, result=Result(RECIPE))
    other = RECIPE.replace(seed=3)
    told = [caption.value for caption in shown(lambda: jobs.progress(job, other, button="Attack")).caption]
    assert "Press **Attack** for the new ones" in told[-1]
    assert len(shown(lambda: jobs.progress(job, RECIPE, button="Attack")).caption) == 1


def test_the_bar_is_that_of_the_whole_run_and_stage_and_step_stand_beside_it():
    job = SimpleNamespace(state="running", recipe=RECIPE, share=0.25, seconds_left=(12.0, True))
    job.progress = Progress("tune", 3, 4)
    (bar,) = shown(lambda: jobs.progress(job)).get("progress")
    assert bar.proto.value == 25 and bar.proto.text == "Tune: step 3 of 4, about 12 s left."
    job.seconds_left = 12.0, False
    (bar,) = shown(lambda: jobs.progress(job)).get("progress")
    assert bar.proto.text.endswith("about 12 s left in this stage.")


def test_the_table_holds_figures_with_n_and_the_curve():
    points = [{"stage": "tune", "step": 1, "acc": 0.9}]
    result = Result(RECIPE, {"before/acc": 0.95, "after/acc": 0.9, "der": 0.95}, {"after/acc": 50}, points)
    rows = list(csv.reader(io.StringIO(share.table(result).decode())))
    assert ["after/acc", "0.9", "50", "Accuracy"] in rows
    assert ["der", "0.95", "", "Effectiveness"] in rows
    assert ["tune", "1", "0.9"] in rows
    assert rows[-2] == ["conclusion", RECIPE.kind.conclude(result).text]
    assert Recipe.from_json(rows[-1][1]) == RECIPE


def test_a_sentence_cannot_carry_markup():
    assert plain(ValueError("see [x](y) <b> $1$")) == "see \\[x](y) \\<b> \\$1\\$"


def test_stage_marks_leave_out_names_that_would_print_over_each_other():
    points = [
        {"stage": "before", "seconds": 0.0}, {"stage": "unlearn", "seconds": 1.0}, {"stage": "tune", "seconds": 1.2},
        {"stage": "select", "seconds": 9.0}, {"stage": "after", "seconds": 10.0},
    ]  # fmt: skip
    assert [mark["stage"] for mark in curve._stages(points)] == ["unlearn", "", "select"]


def test_a_change_is_told_with_what_it_is_against_and_only_over_the_same_pictures():
    """Defend showed 97.4 % (n = 2,000), then 95.7 % (n = 1,000), and called the difference -1.5 points."""
    scores = RECIPE.kind.scores
    found = {"before/acc": 0.972, "after/acc": 0.957, "before/asr": 1.0, "after/asr": 0.25}
    same = {"before/acc": 1000, "after/acc": 1000, "before/asr": 8, "after/asr": 8}
    told = figures.compared(scores, found, same)
    assert told == "Before: Accuracy 97.2 %, Attack success 8 of 8. The changes are over the same pictures."
    other = same | {"before/acc": 2000}
    assert figures.start(scores[0], found, same) == 0.972 and figures.start(scores[0], found, other) is None
    assert figures.compared(scores, found, other).startswith("Before: Attack success 8 of 8.")
    assert figures.compared(scores, {"before/acc": 0.97}, {"before/acc": 2000}) == ""


@pytest.mark.parametrize(
    ("state", "pause"), [("queued", jobs.WAITING), ("running", jobs.POLL), ("done", None)], ids=lambda value: str(value)
)
def test_a_job_that_waits_is_looked_at_less_often(monkeypatch: pytest.MonkeyPatch, state: str, pause: float | None):
    """Thirty visitors in one queue are sixty looks a second otherwise."""
    job = SimpleNamespace(state=state, seen=lambda visitor: None)
    drawn, asked, again = [], [], []
    monkeypatch.setattr(jobs, "current", lambda slot: job)
    monkeypatch.setattr(jobs, "visitor", lambda: "ada")
    monkeypatch.setattr(
        jobs.st, "fragment", lambda look, run_every: asked.append(run_every) or (lambda: asked.append(look))
    )
    monkeypatch.setattr(jobs.st, "rerun", lambda: again.append(job.state))
    jobs.watch("defend", drawn.append)
    every, look = asked
    look()
    assert every == pause and drawn == [job] and not again
    job.state = {"queued": "running"}.get(state, "done")
    look()
    assert again == ([] if state == "done" else [job.state])
