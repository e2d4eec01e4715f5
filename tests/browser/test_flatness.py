"""Flatness and Landscape in a browser: points come in while one watches, and a plane is a surface that is drawn."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from bench.drive import idle

expect.set_options(timeout=30_000)


def test_flatness_is_measured_and_shared(visit, shot):
    page = visit("/flatness?n=16&averageflatness-steps=1&averageflatness-draws=3")
    expect(page.get_by_role("heading", level=1)).to_have_text("Flatness")
    idle(page)
    page.locator(".st-key-flatness-start button").click()
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=200_000)
    expect(page.get_by_text(re.compile("95 % interval of the mean over 3 draws"))).to_be_visible()
    idle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Recipe", exact=True).click()
    assert json.loads(download.value.path().read_text())["method"]["draws"] == 3
    shot(page, "flatness-measured", full=True)


def test_a_landscape_fills_while_one_watches_and_a_plane_is_a_surface(visit, shot):
    page = visit("/landscape?n=64&landscape-points=4&landscape-shape=plane&how=surface&landscape-steps=4")
    idle(page)
    page.locator(".st-key-landscape-start button").click()
    surface = page.get_by_test_id("stPlotlyChart")
    expect(surface.locator("canvas").first).to_be_attached(timeout=200_000)
    expect(page.get_by_text(re.compile(r"Points: step \d+ of"))).to_be_visible(timeout=60_000)  # it goes on
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=250_000)
    idle(page)
    expect(page.get_by_text("On average over 25 points")).to_be_visible()
    shot(page, "landscape-surface", full=True)
    page.get_by_text("heat map", exact=True).click()
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    expect(surface).to_have_count(0)
