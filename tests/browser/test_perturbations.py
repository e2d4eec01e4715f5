"""Attacks in a browser: a region drawn by finger, mouse and keys, then attacked; a patch on a photograph; a report."""

from __future__ import annotations

import io
import json
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

import models
from bench.drive import idle

pytestmark = pytest.mark.skipif(
    not {"zoo:scenes-badnets", "zoo:scenes-clean"} <= {card.ref for card in models.available()},
    reason="needs the shipped models scenes-badnets and scenes-clean (make zoo)",
)

expect.set_options(timeout=30_000)


def run(page, slug: str) -> None:
    """Start the page's run and wait for its end."""
    page.locator(f".st-key-{slug}-start button").click()
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=200_000)
    idle(page)
    expect(page.get_by_text("What came out.")).to_be_visible()


def stroke_with_a_finger(page, points: list[tuple[float, float]]) -> None:
    """One finger goes down on the first of these points, along the others, and up."""
    session = page.context.new_cdp_session(page)
    for place, (x, y) in enumerate(points):
        kind = "touchMove" if place else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_region_of_finger_mouse_and_keys_is_what_is_attacked(visit, shot):
    page = visit("/regions?regional-family=drawn&many=1&beside=0&regional-steps=40")
    board = page.locator("#board")
    expect(board).to_be_visible(timeout=60_000)
    idle(page)
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    cell = box["width"] / 16

    def at(column: int, row: int) -> tuple[float, float]:
        return box["x"] + (column + 0.5) * cell, box["y"] + (row + 0.5) * cell

    stroke_with_a_finger(page, [at(2, 2), at(5, 2), at(9, 2)])
    expect(page).to_have_url(re.compile(r"mask=0{8}3fc0"))
    page.mouse.move(*at(2, 9))
    page.mouse.down()
    page.mouse.move(*at(13, 9), steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"mask=0{8}3fc00{24}3ffc"))
    board.focus()
    for _ in range(2):  # from the middle to below the stroke
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page).not_to_have_url(re.compile(r"mask=0{8}3fc00{24}3ffc0{24}"))
    idle(page)
    run(page, "regions")
    with page.expect_download() as download:
        page.get_by_role("button", name="Recipe", exact=True).click()
    drawn = json.loads(download.value.path().read_text())["inputs"]["mask"]
    cells = bin(int(drawn, 16)).count("1")
    assert cells == 8 + 12 + 1
    expect(page.get_by_text(f"{100 * cells / 256:.0f} % may change")).to_be_visible()
    expect(page.get_by_role("heading", name="Who else is fooled")).to_be_visible()
    shot(page, "regions-drawn", full=True)


def test_attacks_side_by_side_their_curves_and_their_losses(visit, shot):
    page = visit("/attacks?n=50&robustcurve-levels=1&robustcurve-steps=2")
    idle(page)
    run(page, "attacks")
    expect(page.get_by_test_id("stMetric").filter(has_text="Robust accuracy")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    expect(page.locator('img[alt^="The picture after Square"]')).to_be_visible()
    shot(page, "attacks", full=True)


def test_a_patch_on_an_uploaded_photograph(visit, shot):
    page = visit("/universal?method=Patch&n=100&patch-steps=2&patch-pictures=40")
    idle(page)
    run(page, "universal")
    photograph = io.BytesIO()
    Image.effect_noise((120, 90), 60).convert("RGB").save(photograph, "PNG")
    page.get_by_role("button", name="Yours").click()
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": photograph.getvalue()}
    page.set_input_files("input[type=file]", files=[file])
    expect(page.get_by_test_id("stSidebar").get_by_text("your picture")).to_be_visible(timeout=60_000)
    expect(page.locator('img[alt="The picture, with the patch"]')).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    shot(page, "universal-patch", full=True)


def test_a_report_is_downloaded(visit):
    settings = "levels=1", "steps=2", "attacked=2", "version=quick"
    page = visit("/report?n=50&" + "&".join(f"robustnessreport-{each}" for each in settings))
    idle(page)
    run(page, "report")
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as HTML").click()
    text = download.value.path().read_text()
    assert text.startswith("<!") and "AutoAttack" in text and "http-equiv" not in text and "<script src" not in text
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as JSON").click()
    assert json.loads(download.value.path().read_text())
