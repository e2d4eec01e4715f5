"""Robust training in a browser: two trainings grow beside each other, and the records have an epoch to choose."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from bench.drive import idle

expect.set_options(timeout=30_000)

SMALL = "adversarial-epochs=2&adversarial-pictures=64&adversarial-heldout=16&pgd-steps=1&n=50"


def test_two_trainings_are_watched_and_shared_and_an_epoch_is_chosen(visit, shot):
    page = visit(f"/robust_training?{SMALL}&method=AT-AWP&beside=AT")
    expect(page.get_by_role("heading", level=1)).to_have_text("Robust training")
    idle(page)
    page.locator(".st-key-robust_training-start button").click()
    expect(page.get_by_text(re.compile(r"Finished after"))).to_be_visible(timeout=250_000)
    idle(page)
    expect(page.get_by_text("What came out.")).to_be_visible()
    expect(page.get_by_test_id("stMetric").filter(has_text="Gap, beside")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first).to_be_visible()
    shot(page, "robust-trained", full=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Recipe", exact=True).click()
    recipe = json.loads(download.value.path().read_text())
    assert recipe["method"]["weight_perturbation"]["method"] == "AWP" and recipe["inputs"]["beside"]["pictures"] == 64
    slider = page.locator(".st-key-epoch input")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"epoch=114"))
