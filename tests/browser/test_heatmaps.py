"""Heatmaps and Trust in a browser: a map sharpens while one watches, a slider moves through layers."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from bench.drive import idle

expect.set_options(timeout=30_000)


def drawn(page, name: str) -> str:
    """The address of the picture whose alternative text begins so."""
    return page.locator(f'img[alt^="{name}"]').first.get_attribute("src") or ""


def test_a_map_sharpens_while_one_watches_and_two_methods_stand_side_by_side(visit, shot):
    page = visit("/heatmaps?method=RISE&rise-masks=20000&against=nothing")
    heat = page.locator('img[alt^="Heatmap of RISE"]')
    expect(heat).to_be_visible(timeout=60_000)
    early = drawn(page, "Heatmap of RISE")
    expect(heat).not_to_have_attribute("src", early, timeout=60_000)  # the run goes on, and so does its map
    page.goto(page.url.split("?")[0] + "?method=GradCAM&beside=HiResCAM")
    expect(page.locator('img[alt^="Heatmap of HiResCAM"]')).to_be_visible(timeout=60_000)
    idle(page)
    expect(page.get_by_test_id("stMetric").filter(has_text="Agreement")).to_be_visible()
    shot(page, "heatmaps", full=True)


def test_maps_are_there_while_the_table_grows_and_a_slider_moves_through_the_layers(visit, shot):
    page = visit("/trust?n=8&others=no+other+method&trusttests-draws=1")
    idle(page)
    page.locator(".st-key-trust-start button").click()
    expect(page.get_by_text(re.compile(r"Table: step"))).to_be_visible(timeout=120_000)
    expect(page.get_by_text(re.compile(r"With \d+ of \d+ layers random"))).to_be_visible()  # while the table grows
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=250_000)
    idle(page)
    expect(page.get_by_test_id("stDataFrame").first).to_be_attached()
    expect(page.get_by_text("What came out.")).to_be_visible()
    alt = "Heatmap on the first map's scale"
    before = drawn(page, alt)
    slider = page.locator(".st-key-random-layers input")
    slider.focus()
    page.keyboard.press("End")
    idle(page)
    expect(page.locator(f'img[alt^="{alt}"]').first).not_to_have_attribute("src", before)
    expect(page.get_by_text(re.compile(r"With \d+ of \d+ layers random"))).to_be_visible()
    shot(page, "trust", full=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Recipe", exact=True).click()
    assert json.loads(download.value.path().read_text())["method"]["explainer"]["method"] == "GradCAM"
