"""The Scoreboard in a browser: the first click on a square counts, and nothing of the table is cut off."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from bench.drive import idle


def test_the_first_click_on_a_square_chooses_its_cell(visit):
    page = visit("/scoreboard")
    table = page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first
    expect(table).to_be_visible(timeout=180_000)
    idle(page)
    box = table.bounding_box()
    # In the last column and halfway down: far from the cell that is chosen at first.
    table.click(position={"x": box["width"] - 15, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile(r"attack=wanet"))
    expect(page).to_have_url(re.compile(r"defense=\w+"))


def test_the_cifar_board_fits_a_small_laptop(visit):
    page = visit("/scoreboard?board=cifar10")
    page.set_viewport_size({"width": 1024, "height": 768})
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart).to_be_visible(timeout=90_000)
    idle(page)
    assert chart.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_four_figures_stand_in_one_row_on_a_small_laptop(visit):
    page = visit("/defend")
    page.set_viewport_size({"width": 1024, "height": 768})
    cards = page.get_by_test_id("stMetric")
    expect(cards).to_have_count(4, timeout=90_000)
    idle(page)
    assert len({round(card.bounding_box()["y"]) for card in cards.all()}) == 1
