"""A Hub model and a Hub data set in the app, through the real Hub client, from a local server."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from bench.drive import idle
from tests.support.local_hub import serve

MODEL = "hf:google-coral/mobilenet_v2_1.0_224"


@pytest.mark.parametrize("data", ["cifar10", "hf:imagenet-sample/imagenet-100"])
def test_regions_runs_on_a_model_and_pictures_of_the_hub(
    data: str, shared_hub: Path, fresh_server, visit, shot
) -> None:
    with serve(shared_hub) as hub:
        asked = {"v": "1", "model": MODEL, "data": data, "many": "1", "judge": "the model itself"}
        page = visit(
            "/regions?" + urlencode(asked | {"regional-steps": "12"}), server=fresh_server(HF_ENDPOINT=hub.url)
        )
        page.set_default_timeout(120_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("Regions", timeout=60_000)
        begin = page.locator(".st-key-regions-start button")
        expect(begin).to_be_enabled(timeout=120_000)
        idle(page, timeout=120_000)
        begin.click()
        expect(page.get_by_text(re.compile("Finished after")).first).to_be_visible(timeout=120_000)
        fooled = page.get_by_test_id("stMetric").filter(has_text=re.compile("^Fooled(?!,)"))
        expect(fooled.get_by_test_id("stMetricValue")).to_have_text(re.compile(r"^[01] of 1$"))
        shot(page, "hub-regions-" + data.split("/")[-1])


def test_a_model_is_found_comes_with_a_bar_and_is_offered_again(shared_hub: Path, fresh_server, visit, shot) -> None:
    with serve(shared_hub) as hub:
        hub.slow["model.safetensors"] = 3
        page = visit("/regions", server=fresh_server(HF_ENDPOINT=hub.url))
        page.set_default_timeout(120_000)
        page.get_by_role("button", name="Attack", exact=True).wait_for()
        idle(page, timeout=120_000)
        page.get_by_role("button", name="Hub").click()
        page.get_by_label("Name contains").fill("mobilenet_v2")
        page.get_by_label("Name contains").press("Enter")
        hit = page.get_by_role("button", name="google-coral/mobilenet_v2_1.0_224")
        hit.wait_for()
        expect(page.get_by_text(re.compile(r"3.5 million parameters · 224 × 224 px · 1,000 classes"))).to_be_visible()
        shot(page, "hub-picker")
        hit.click()
        expect(page.get_by_text(re.compile(r"Downloading model.safetensors .* of 7\.1 MB"))).to_be_visible()
        expect(page.get_by_text(re.compile("^Revision [0-9a-f]{40}$"))).to_be_visible()
        idle(page, timeout=120_000)
        expect(page.get_by_text("The model does not know the classes of these data.")).to_be_visible()
        assert page.get_by_text("Downloading model.safetensors").count() == 0
        page.get_by_role("button", name="Hub").click()
        page.get_by_label("Name contains").fill("")
        page.get_by_label("Name contains").press("Enter")
        expect(page.get_by_text("Used last")).to_be_visible()
        shot(page, "hub-recent")
