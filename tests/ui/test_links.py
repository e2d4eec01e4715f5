"""What a link does when it is opened, and what the box that offers it says."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st

from tests.ui.conftest import fine, until
from ui.widgets import copy_link

SHORT = {"v": "1", "method": "FineTuning", "finetuning__steps": "10", "model": "zoo:scenes-badnets"}
FULL = "40 runs are waiting already, which is the limit; try again in a minute."


def job(app):
    return app.session_state.get("job-defend", None)


def test_a_link_starts_its_run_once(visit):
    app = fine(visit("defend.py", **SHORT, seed="41", run="1"))
    started = job(app)
    assert started is not None and started.recipe.seed == 41
    assert "run" not in app.query_params, "a reload would start it again"
    app = fine(until(app, "defend", "done"))
    assert job(app.run()) is started


def test_a_link_shows_the_result_that_is_kept_and_an_address_alone_does_not(visit):
    asked = SHORT | {"seed": "42"}
    assert job(fine(visit("defend.py", **asked))) is None, "nothing is kept yet, so it waits for the button"
    until(visit("defend.py", **asked, run="1"), "defend", "done")
    app = fine(visit("defend.py", **asked))
    assert job(app).state == "done" and job(app).recipe.seed == 42
    assert "Finished after" in " ".join(caption.value for caption in app.caption)
    typed = {name: value for name, value in asked.items() if name != "v"}
    assert job(fine(visit("defend.py", **typed))) is None


def test_a_link_takes_its_place_in_the_queue(visit, monkeypatch):
    from lab.running.pool import Busy, pool

    def full(recipe, visitor):
        raise Busy(FULL)

    monkeypatch.setattr(pool(), "submit", full)
    app = visit("defend.py", **SHORT, seed="43", run="1")
    assert [error.value for error in app.error] == [FULL]
    assert "run" not in app.query_params


def test_the_box_offers_both_links_with_a_qr_code(visit):
    app = fine(visit("defend.py", **SHORT))
    assert not any("defend?" in block.value for block in app.code), "built before it is opened"
    app.session_state["link-defend"] = True
    asked = [dict(parse_qsl(urlsplit(address(app.run())).query))]
    assert "QR code of the link to Defend" in str(app.main.get("image")[-1].proto)
    app.segmented_control(key="way-defend").set_value(copy_link.AT_ONCE)
    asked += [dict(parse_qsl(urlsplit(address(app.run())).query))]
    assert "run" not in asked[0] and asked[1] == asked[0] | {"run": "1"}


def address(app) -> str:
    return next(block.value for block in app.code if "defend?" in block.value)


def test_a_page_whose_run_follows_the_controls_has_one_link(visit):
    app = visit("triggers.py", state={"link-triggers": True})
    assert not [each for each in app.segmented_control if each.key == "way-triggers"]


@pytest.mark.parametrize(
    ("came", "listens", "host", "told"),
    [
        ("http://127.0.0.1:8501/defend", "127.0.0.1", "127.0.0.1:8501", "this computer only"),
        ("http://localhost:8501/defend", None, "10.0.0.7:8501", "leads nowhere"),
        ("http://lab.example:8501/defend", None, "lab.example:8501", ""),
    ],
)
def test_a_link_to_localhost_says_that_it_does_not_travel(monkeypatch, came, listens, host, told):
    monkeypatch.setattr("lab.network.lan_address", lambda: "10.0.0.7")
    monkeypatch.setattr(type(st.context), "url", property(lambda context: came))
    monkeypatch.setattr(st, "get_option", lambda name: listens)
    link = urlsplit(copy_link.link("defend", {"v": "1"}))
    assert link.netloc == host
    said = copy_link._travels(link)
    assert told in said and bool(said) == bool(told)
    assert ("perturb app --address 0.0.0.0" in said) == (host == "127.0.0.1:8501")


def test_a_link_that_no_qr_code_holds_is_no_error():
    assert copy_link._code("https://lab.example/" + "a" * 3000) == ""
    assert copy_link._code("https://lab.example/").startswith("data:image/png;base64,")
