"""The pages in a browser: cold links, a slider that writes the address, a region drawn by hand, a run with Stop."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

import models
from bench.drive import idle
from ui.pages import PAGES

pytestmark = pytest.mark.skipif(
    not {"zoo:scenes-badnets", "zoo:scenes-clean"} <= {card.ref for card in models.available()},
    reason="needs the shipped models scenes-badnets and scenes-clean (make zoo)",
)

expect.set_options(timeout=30_000)

WITHOUT_PICTURES = {"glossary", "supply_chain", "neurons", "scoreboard"}


def figure(page, label: str):
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_a_cold_link_opens_the_page_with_its_settings(fresh_server, visit):
    page = visit("/triggers?badnets-side=5&images=14&v=1", server=fresh_server())
    expect(page.get_by_role("heading", level=1)).to_have_text("Triggers")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".st-key-badnets-side input")).to_have_value("5")
    expect(page.get_by_label("Picture", exact=True)).to_have_value("14")
    expect(figure(page, "Attack success")).to_have_text(re.compile(r"\d+\.\d %"), timeout=60_000)


def test_a_slider_writes_the_address_and_the_choice_follows_to_other_pages(visit):
    page = visit("/triggers")
    idle(page)
    slider = page.locator(".st-key-badnets-side input")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("4")
    expect(page).to_have_url(re.compile(r"badnets-side=4"))
    expect(page).to_have_url(re.compile(r"v=1"))
    page.get_by_label("Picture", exact=True).fill("14")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"images=14"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="Regions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Regions")
    expect(page).to_have_url(re.compile(r"/regions\?.*images=14"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="Triggers").click()
    expect(page.locator(".st-key-badnets-side input")).to_have_value("4")


def test_one_click_on_a_card_sets_everything(visit):
    page = visit("/")
    page.get_by_role("button", name="Open in Defend").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Defend")
    expect(page.get_by_label("Picture", exact=True)).to_have_value("28")
    expect(page).to_have_url(re.compile(r"/defend\?.*images=28"))


def test_a_region_is_drawn_with_the_mouse_and_with_the_keys(visit):
    page = visit("/regions?regional-family=drawn")
    board = page.locator("#board")
    expect(board).to_be_visible()
    idle(page)
    expect(page.get_by_role("button", name="Attack", exact=True)).to_be_disabled()
    box = board.bounding_box()
    cell = box["width"] / 16
    page.mouse.move(box["x"] + 2.5 * cell, box["y"] + 2.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 9.5 * cell, box["y"] + 2.5 * cell, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"mask=0{8}3fc0"))
    expect(page.get_by_role("button", name="Attack", exact=True)).to_be_enabled()
    board.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page).to_have_url(re.compile(r"mask=0{8}3fc0.*[1-9a-f]"))
    page.get_by_role("button", name="Clear").click()
    expect(page).not_to_have_url(re.compile(r"mask="))


def test_a_defense_is_watched_stopped_and_run_to_its_end(visit):
    page = visit("/defend?method=FineTuning&finetuning-steps=5000")
    # By key: while a script runs, Streamlit shows a Stop of its own in the header.
    start, stop = (page.locator(f".st-key-defend-{name} button") for name in ("start", "stop"))
    start.click()
    expect(page.get_by_text(re.compile(r"Tune: step \d+ of 5000"))).to_be_visible(timeout=90_000)
    stop.click()
    expect(page.get_by_text(re.compile(r"Stopped after"))).to_be_visible(timeout=30_000)
    page.get_by_label("Steps", exact=True).first.fill("20")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"finetuning-steps=20(&|$)"))
    start.click()
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=300_000)
    expect(figure(page, "Accuracy")).to_have_text(re.compile(r"\d+\.\d %"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Recipe", exact=True).click()
    recipe = json.loads(download.value.path().read_text())
    assert recipe["method"]["method"] == "FineTuning" and recipe["method"]["steps"] == 20
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"
    page.get_by_role("link", name="Compare with a clean model").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    expect(figure(page, "Attack success")).to_have_text(re.compile(r"\d+\.\d %"))
    expect(page.get_by_role("img", name=re.compile("Heatmap, after"))).to_have_count(2)


def test_compare_on_a_cold_server_offers_the_run_of_its_link(fresh_server, visit):
    method = {"method": "FineTuning", "steps": 20}
    link = urlencode({"v": "1", "recipe": json.dumps({"method": method, "model": "zoo:scenes-badnets"})})
    page = visit(f"/compare?{link}", server=fresh_server())
    expect(page.get_by_text("This run is not in this server's memory")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Run it")).to_be_enabled()


def test_a_bad_file_is_one_sentence(visit):
    page = visit("/triggers")
    idle(page)
    page.get_by_role("button", name="Yours").click()
    page.locator("input[type=file]").wait_for(state="attached")
    idle(page)  # opening runs the page once more, which would take a file that comes before it
    page.set_input_files("input[type=file]", files=[{"name": "x.png", "mimeType": "image/png", "buffer": b"\x89"}])
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Triggers")


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_pages_fit_their_screens_in_light_and_dark(visit, shot, slug):
    path = "/" if slug == PAGES[0].slug else f"/{slug}"
    for dark, phone in ((False, False), (True, True)):
        page = visit(path, dark=dark, phone=phone)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if slug not in WITHOUT_PICTURES:
            expect(page.get_by_test_id("stImage").locator("img").first).to_be_attached(timeout=60_000)
        shot(page, f"{slug}-{'dark' if dark else 'light'}-{'phone' if phone else 'wide'}")
        main = page.get_by_test_id("stMain")
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), "the page scrolls sideways"
        assert page.locator("[data-testid=stMain] [data-testid=stImage] img:not([alt])").count() == 0
        page.context.close()
