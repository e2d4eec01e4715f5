"""Without a network: models whose data are missing are marked, and the page says what still works."""

from __future__ import annotations

import pytest

import models
from core.data.hub import cached
from tests.support.hubs import NOWHERE, point_at
from ui import offline
from ui.pages import PAGES
from ui.sidebar import spelled

MODEL = "zoo:cifar10-badnets"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch) -> None:
    if MODEL not in {card.ref for card in models.available()}:
        pytest.skip("needs the shipped model cifar10-badnets (make zoo)")
    point_at(monkeypatch, NOWHERE, tmp_path)


def test_a_model_whose_data_are_missing_is_marked(visit):
    assert cached("scenes") and not cached("cifar10") and not cached("hf:owner/set")
    options = visit("triggers.py").selectbox(key="model").options
    assert MODEL + offline.MARK in options and "zoo:scenes-badnets" in options
    assert spelled(MODEL + offline.MARK) == MODEL


def test_a_page_says_what_still_works_and_names_no_folder(visit, tmp_path):
    app = visit("triggers.py", model=MODEL)
    assert not app.exception and app.session_state["choice"].model == MODEL
    assert any("your own picture" in caption.value and "Scoreboard" in caption.value for caption in app.caption)
    assert str(tmp_path) not in " ".join(error.value for error in app.error)


def test_an_own_picture_works_without_the_data(visit, tmp_path):
    from PIL import Image

    file = tmp_path / "own.png"
    Image.new("RGB", (60, 40), (200, 30, 30)).save(file)
    app = visit("triggers.py", state={"own-picture": True}, model=MODEL)
    app.file_uploader(key="own-file").upload("own.png", file.read_bytes(), "image/png").run()
    assert not app.exception and len(app.main.get("image")) >= 5
    assert not any("your own picture" in error.value for error in app.error)


@pytest.mark.parametrize("slug", [page.slug for page in PAGES if page.kind])
def test_no_page_fails_on_an_own_picture_without_the_data(visit, tmp_path, slug):
    from PIL import Image

    file = tmp_path / "own.png"
    Image.new("RGB", (60, 40), (200, 30, 30)).save(file)
    app = visit(f"{slug}.py", state={"own-picture": True}, model=MODEL)
    app.file_uploader(key="own-file").upload("own.png", file.read_bytes(), "image/png").run()
    assert not app.exception


def test_a_search_without_a_network_is_one_sentence(visit):
    app = visit("triggers.py", state={"hub": True})
    app.text_input(key="hub-text").set_value("mobilenet").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "The Hub cannot be reached, so there is nothing to search: connect, or choose a model that ships with the lab."
    ]
