"""A Hub model's whole way: poisoned, repaired, re-activated, compared, downloaded, and run again on a cold server."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

import models
from bench.drive import idle
from core.data import load_data
from core.defenses import TSBD
from core.metrics import evaluate
from lab.recipes import Recipe
from tests.support.hubs import point_at
from tests.support.local_hub import serve

POISON = {
    "v": "1", "model": "hf:akamaster/cifar_resnet20", "data": "cifar10", "trigger": "Blended",
    "poisonedfinetuning-steps": "20", "poisonedfinetuning-pictures": "500",
}  # fmt: skip
REPAIR = {
    "v": "1", "data": "cifar10", "method": "TSBD",
    "tsbd-unlearn_steps": "10", "tsbd-steps": "20", "tsbd-candidates": "1",
}  # fmt: skip
WAKE = {
    "v": "1", "data": "cifar10", "defense": "CLP", "reactivation-steps": "10", "reactivation-images": "100",
}  # fmt: skip
"""The quickest defense, and a short attack on what it leaves."""

N = 200
"""Test pictures that a run is scored on."""


def figures(page: Page) -> dict[str, str]:
    """The figures of the page by their label."""
    found = page.get_by_test_id("stMetric").all()
    return {
        one.get_by_test_id("stMetricLabel").inner_text(): one.get_by_test_id("stMetricValue").inner_text()
        for one in found
    }


def run(page: Page, slug: str) -> dict[str, str]:
    """Press the page's button, wait for the end, and read the figures."""
    begin = page.locator(f".st-key-{slug}-start button")
    expect(begin).to_be_enabled(timeout=120_000)
    idle(page, timeout=120_000)
    begin.click()
    expect(page.get_by_text(re.compile("Finished after")).first).to_be_visible(timeout=240_000)
    idle(page, timeout=120_000)
    return figures(page)


def link(page: Page) -> str:
    """The address that Copy link shows."""
    page.get_by_role("button", name="Copy link").click()
    address = page.locator("[data-testid=stPopoverBody] [data-testid=stCode]").first.inner_text()
    page.keyboard.press("Escape")
    return address.replace("\n", "").strip()


@pytest.mark.timeout(600)  # five runs, on two servers
def test_a_poisoned_hub_model_goes_through_every_page_and_to_another_server(
    shared_hub: Path, fresh_server, visit, shot, tmp_path: Path, monkeypatch
) -> None:
    with serve(shared_hub) as hub:
        lab = {"HF_ENDPOINT": hub.url, "PERTURB_CONTROL_N": str(N)}
        first = fresh_server(**lab)
        page = visit("/poison?" + urlencode(POISON), server=first)
        page.set_default_timeout(120_000)
        poisoned = run(page, "poison")
        shot(page, "own-model-poison")
        with page.expect_download() as coming:
            page.locator(".st-key-my-model-download button").first.click()
        with zipfile.ZipFile(coming.value.path()) as archive:
            archive.extractall(tmp_path)
        page.locator(".st-key-my-model-use button").click()
        idle(page, timeout=120_000)
        page.get_by_role("link", name="Triggers").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Triggers")
        idle(page, timeout=120_000)
        expect(page.get_by_test_id("stSidebar").get_by_text("Backdoored on purpose")).to_be_visible()
        address = link(page)
        ref = parse_qs(urlsplit(address).query)["model"][0]
        assert ref.startswith("run:")

        repair = "/defend?" + urlencode(REPAIR | {"model": ref})
        page = visit(repair, server=first)
        page.set_default_timeout(120_000)
        repaired = run(page, "defend")
        shot(page, "own-model-defend")
        page = visit("/reactivate?" + urlencode(WAKE | {"model": ref}), server=first)
        page.set_default_timeout(120_000)
        woken = run(page, "reactivate")
        assert all(woken[name].endswith("%") for name in ("Reactivated", "Trigger alone", "Without trigger"))
        shot(page, "own-model-reactivate")

        method = TSBD(unlearn_steps=10, steps=20, candidates=1)
        done = Recipe(method, ref, "cifar10", {"n": N}).to_json()
        page = visit("/compare?" + urlencode({"v": "1", "recipe": done}), server=first)
        page.set_default_timeout(120_000)
        idle(page, timeout=120_000)
        expect(page.locator(".st-key-compare-start button")).to_have_count(0)  # the server has this run
        expect(page.get_by_test_id("stMetric").filter(has_text=repaired["Accuracy"])).to_be_visible(timeout=120_000)
        compared = figures(page)
        assert {name: compared[name] for name in ("Accuracy", "Attack success")} == {
            name: repaired[name] for name in ("Accuracy", "Attack success")
        }
        shot(page, "own-model-compare")

        cold = visit(repair, server=fresh_server(**lab))
        cold.set_default_timeout(120_000)
        expect(cold.get_by_text(re.compile("does not hold it"))).to_be_visible(timeout=120_000)
        cold.locator(".st-key-own-model-start button").click()
        assert run(cold, "defend") == repaired

        point_at(monkeypatch, hub.url, tmp_path / "home")
        model = models.load(str(next(file.parent for file in tmp_path.glob("*/config.json"))))
        test = load_data("cifar10", "test", limit=N)
        scores = evaluate(model, test, trigger=model.trigger, target=model.target, mode=model.mode or "all-to-one")
        assert f"{100 * scores.acc:.1f} %" == poisoned["Accuracy"]
        assert f"{100 * (scores.asr or 0):.1f} %" == poisoned["Attack success"]
