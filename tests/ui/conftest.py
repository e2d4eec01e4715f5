"""Pages without a browser: Streamlit's AppTest on the router, with small scores and a history in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from streamlit.testing.v1 import AppTest

import lab.history
import models
from lab.history import History
from lab.settings import settings
from ui import looks
from ui.widgets import expected

ROUTER = str(Path(__file__).resolve().parents[2] / "pages" / "_router.py")


@pytest.fixture(autouse=True, scope="session")
def _small_lab() -> Iterator[None]:
    """Runs of pages are scored on 60 pictures, and finished ones go to a database of this process alone."""
    usual = settings.control_n, settings.live_n
    object.__setattr__(settings, "control_n", 60)
    object.__setattr__(settings, "live_n", 60)
    kept = History(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))
    real, lab.history.history = lab.history.history, lambda: kept
    yield
    lab.history.history = real
    object.__setattr__(settings, "control_n", usual[0])
    object.__setattr__(settings, "live_n", usual[1])


@pytest.fixture(autouse=True)
def _fresh_caches() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    looks._seen.clear()
    expected._told.clear()


@pytest.fixture
def need_zoo() -> None:
    """Pages begin with a shipped model; without it there is nothing to show."""
    shipped = {card.ref for card in models.available()}
    if not {"zoo:scenes-badnets", "zoo:scenes-clean"} <= shipped:
        pytest.skip("needs the shipped models scenes-badnets and scenes-clean (make zoo)")


@pytest.fixture
def visit(need_zoo: None) -> Callable[..., AppTest]:
    """`visit("defend.py", seed="3")` opens a page by a link with these parameters; "" is the first page."""

    def open_page(page: str = "", state: dict[str, Any] | None = None, **query: str) -> AppTest:
        app = AppTest.from_file(ROUTER, default_timeout=120)
        for name, value in query.items():
            app.query_params[name.replace("__", "-")] = value
        for name, value in (state or {}).items():
            app.session_state[name] = value
        if page:
            app.switch_page(page)
        return app.run()

    return open_page


def fine(app: AppTest) -> AppTest:
    """The page, once it is sure that it shows neither an exception nor an error."""
    assert not app.exception, [(error.message, error.stack_trace) for error in app.exception]
    assert not app.error, [error.value for error in app.error]
    return app


def words(app: AppTest) -> str:
    """What a page says in text, captions and notices."""
    return " ".join(part.value for part in (*app.markdown, *app.caption, *app.info))


def until(app: AppTest, slot: str, *states: str, seconds: float = 90) -> AppTest:
    """Run the page again and again until its job is in one of `states`."""
    end = time.monotonic() + seconds
    while app.session_state[f"job-{slot}"].state not in states and time.monotonic() < end:
        time.sleep(0.05)
    assert app.session_state[f"job-{slot}"].state in states
    return app.run()
