"""axe-core on every page, in both themes: contrast, names, lists, and headings without a gap."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bench.drive import idle
from ui.pages import PAGES

pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python (make test installs it)")


def violations(page) -> list[str]:
    """What axe-core calls serious or critical, and headings that leave out a level, with the first place of each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}), {len(one['nodes'])} places: {one['nodes'][0]['html'][:200]} "
        f"{one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical") or one["id"] == "heading-order"
    ]


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_a_page_can_be_read_by_everybody(visit, slug):
    page = visit("/" if slug == PAGES[0].slug else f"/{slug}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    idle(page, timeout=60_000)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # the page follows, without a visit of its own
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        idle(page, timeout=60_000)
        assert violations(page) == []
