"""A clean model on a page about backdoors, in a browser: what a trigger scores on it, and both ways on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import models
from bench.drive import idle
from lab.kinds.shared.no_backdoor import NONE_KNOWN, TRAINED_WITHOUT
from tests.support.local_hub import serve

pytestmark = pytest.mark.skipif(
    not {"zoo:scenes-badnets", "zoo:scenes-clean"} <= {card.ref for card in models.available()},
    reason="needs the shipped models scenes-badnets and scenes-clean (make zoo)",
)

expect.set_options(timeout=30_000)

HUB = "hf:akamaster/cifar_resnet20"


def box(page):
    return page.locator(".st-key-clean-model")


def test_go_on_with_a_model_that_has_a_backdoor(visit, shot):
    page = visit("/defend?v=1&model=zoo:scenes-clean&images=14")
    expect(box(page)).to_contain_text(f"zoo:scenes-clean {TRAINED_WITHOUT}")
    expect(box(page)).to_contain_text(re.compile(r"BadNets leads \d+\.\d % of 350 pictures"), timeout=60_000)
    expect(page.get_by_text("what a repair does to a model without a known backdoor")).to_be_visible()
    shot(page, "clean-defend")
    page.get_by_role("button", name="Go on with a model that has one").click()
    expect(box(page)).to_have_count(0)
    expect(page.get_by_text("whether attack success (ASR) falls")).to_be_visible()
    expect(page.get_by_label("Model", exact=True)).to_have_value("zoo:scenes-badnets")
    expect(page.get_by_label("Picture", exact=True)).to_have_value("14")
    expect(page).not_to_have_url(re.compile("scenes-clean"))


def test_put_one_in_opens_weights_with_this_model(visit):
    page = visit("/neurons?v=1&model=zoo:scenes-clean")
    page.get_by_role("button", name="Put one in: Weights").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Weights")
    idle(page, timeout=60_000)
    expect(page.get_by_label("Model", exact=True)).to_have_value("zoo:scenes-clean")


def test_a_hub_model_is_not_said_to_be_clean(shared_hub, fresh_server, visit, shot):
    with serve(shared_hub) as hub:
        page = visit(f"/detect?v=1&model={HUB}&data=cifar10", server=fresh_server(HF_ENDPOINT=hub.url))
        expect(box(page)).to_contain_text(
            re.compile(rf"{HUB}@[0-9a-f]{{40}} {NONE_KNOWN}\. Nobody has checked it\."), timeout=120_000
        )
        expect(box(page)).to_contain_text(re.compile(r"BadNets leads \d+\.\d % of 3\d\d pictures"), timeout=120_000)
        idle(page, timeout=60_000)
        shot(page, "clean-hub-detect")
        page.get_by_role("button", name="Put one in: Weights").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Weights")
        idle(page, timeout=60_000)
        expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile(HUB))
        expect(page).to_have_url(re.compile(r"/weights\?"))
