"""Outliers in a browser: a stored run at once, one that is stopped, one that ends, and a link."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from bench.drive import idle

expect.set_options(timeout=30_000)

SHORT = "itsr-rounds=2&itsr-refine=2&itsr-retrain=5&detectors=IsolationForest&detectors=OneClassSVM"


def charts(page):
    return page.get_by_test_id("stVegaLiteChart")


def test_a_stored_run_a_run_that_is_stopped_and_one_that_ends(visit, shot):
    page = visit(f"/outliers?v=1&itsr-pretrain=2000&{SHORT}")
    expect(page.get_by_text("A stored run")).to_be_visible()
    expect(charts(page).nth(7)).to_be_visible()
    idle(page)
    shot(page, "outliers-stored", full=True)
    page.locator(".st-key-outliers-start button").click()
    expect(page.get_by_text(re.compile("ITSR: pretrain: step [1-9]"))).to_be_visible(timeout=120_000)
    expect(page.get_by_text("A stored run")).to_have_count(0)
    expect(charts(page).first).to_be_visible()
    page.locator(".st-key-outliers-stop button").click()
    expect(page.get_by_text(re.compile("Stopped after"))).to_be_visible()
    expect(charts(page).first).to_be_visible()  # what was seen of the errors stays
    page = visit(f"/outliers?v=1&itsr-pretrain=5&{SHORT}&run=1")
    expect(page.get_by_text(re.compile("Finished after"))).to_be_visible(timeout=200_000)
    expect(page.get_by_text("Codes of ITSR")).to_be_visible()  # the latent plane
    expect(page.get_by_label(re.compile("inside the circle of radius")).first).to_be_attached()
    expect(page.get_by_label(re.compile("ROC curves")).first).to_be_attached()
    expect(page.get_by_text("Strangest to OneClassSVM:")).to_be_visible()
    expect(page.get_by_text("Strangest to AE:")).to_have_count(0)  # the link names the detectors
    shot(page, "outliers-run", full=True)


def test_the_set_that_is_chosen_begins_with_its_own_outliers(visit):
    page = visit("/outliers?v=1")
    idle(page)
    page.locator(".st-key-pictures").get_by_role("combobox").click()
    page.get_by_role("option", name="scenes").click()
    expect(page.get_by_text("background=plain being normal")).to_be_visible()
    expect(page.locator(".st-key-outlier_label")).to_be_visible()
    idle(page)
    assert "normal=class" not in page.url
