"""app.py in a browser: a deep link on a server that nobody has visited, and the health check."""

from __future__ import annotations

import json
import urllib.request

from playwright.sync_api import expect

from ui.pages import sections


def test_a_cold_deep_link_opens_its_page_inside_the_app(fresh_server, visit):
    page = visit("/defend", server=fresh_server())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Defend")
    links = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink-NavLink")
    expect(links).to_contain_text([each.title for pages in sections().values() for each in pages], timeout=30_000)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_healthz_answers(server):
    with urllib.request.urlopen(server + "/healthz", timeout=10) as answer:
        assert answer.status == 200
        assert json.load(answer)["status"] == "ok"
