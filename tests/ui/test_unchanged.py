"""What has not changed is neither read, encoded nor built again when a page is drawn again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import altair
import pytest
import streamlit as st

from lab.running import compute_lock
from lab.running.compute_lock import ComputeLock
from models import shelf
from tests.ui.conftest import fine, until
from ui import cache
from ui.charts.once import once
from ui.pages import PAGES
from ui.sidebar import Choice
from ui.widgets import images


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The waits for the compute lock, each of which may last as long as a job's step."""
    found: list[str] = []

    class Counted(ComputeLock):
        def __enter__(self) -> Self:
            if self._owner != threading.get_ident():
                found.append(threading.current_thread().name)
            return super().__enter__()

    monkeypatch.setattr(compute_lock, "compute_lock", Counted())
    return found


def test_a_page_waits_once_for_what_several_models_say(visit: Callable[..., Any], waits) -> None:
    app = fine(visit("compare.py"))
    waits.clear()
    fine(app.number_input(key="images").set_value(14).run())
    assert len(waits) == 1
    fine(app.number_input(key="images").set_value(9).run())
    fine(app.number_input(key="images").set_value(14).run())
    assert len(waits) == 1


def test_a_region_that_the_model_has_no_part_in_waits_for_nobody(visit: Callable[..., Any], waits) -> None:
    app = fine(visit("regions.py"))
    waits.clear()
    fine(app.slider(key="regional-area").set_value(0.5).run())
    assert not waits
    fine(app.selectbox(key="regional-family").set_value("attention").run())
    assert len(waits) == 1


def test_the_pages_are_looked_up_once_in_a_visit(visit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = st.Page
    monkeypatch.setattr(st, "Page", lambda file, **rest: made.append(file) or real(file, **rest))
    app = fine(visit())
    fine(app.run())
    fine(app.switch_page("defend.py").run())
    assert sorted(made) == sorted(page.file for page in PAGES)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a config.json was read, a picture encoded, a chart's specification built."""
    counted: Counter[str] = Counter()

    def count(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    count(shelf, "read_config")
    count(images, "encoded")
    for chart in (altair.Chart, altair.LayerChart, altair.VConcatChart):
        count(chart, "to_dict")
    return counted


@pytest.mark.parametrize("page", ["", "triggers", "detect", "scoreboard", "compare"])
def test_a_page_that_is_drawn_again_does_nothing_anew(visit: Callable[..., Any], page: str, work) -> None:
    app = fine(visit(f"{page}.py" if page else ""))
    if page == "triggers":
        app = until(app, page, "done")
    app.run()
    work.clear()
    fine(app.run())
    assert not work


def test_another_picture_is_drawn_anew(visit: Callable[..., Any], work) -> None:
    app = fine(visit("detect.py"))
    work.clear()
    fine(app.number_input(key="images").set_value(14).run())
    assert work["encoded"] > 0


def test_a_chart_is_built_once_for_the_same_values() -> None:
    drawn = []

    @once
    def chart(rows: list[dict[str, float]], *, height: int) -> None:
        drawn.append((rows, height))

    for share in (0.5, 0.5, 0.75):
        chart([{"share": share}], height=100)
    chart([{"share": 0.5}], height=200)
    assert len(drawn) == 3


def test_a_chart_takes_no_values_that_could_not_tell_two_charts_apart() -> None:
    with pytest.raises(AttributeError):
        once(lambda thing: None)(object())


def test_what_is_kept_differs_by_its_key() -> None:
    made = [cache.kept(object, "kept", Choice("zoo:scenes-clean", "scenes", index)) for index in (1, 1, 2)]
    assert made[0] is made[1] and made[1] is not made[2]
