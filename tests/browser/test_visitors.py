"""The visitors of bench.visitors, who speak to a server as a browser does."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bench.session import Session
from bench.visitors import STARTS, picture
from ui.pages import PAGES


def test_a_visitor_opens_pages_and_changes_the_picture(server: str) -> None:
    async def visit() -> None:
        async with Session(server) as tab:
            first = await tab.open("defend")
            assert not first.errors and first.messages > 20 and first.seconds > 0
            assert set(tab.pages) == {"" if page is PAGES[0] else page.slug for page in PAGES}
            assert picture(tab).proto.query_param_key == "images"
            assert [each.key for each in tab.find("button") if each.key in STARTS] == ["defend-start"]
            again = await tab.set(picture(tab), 14)
            assert not again.errors and again.bytes
            home = await tab.open("")
            assert not home.errors and not tab.find("slider")
            assert picture(tab).proto.default != 14 or picture(tab).proto.value == 14, "the picture follows"

    with ThreadPoolExecutor(1) as thread:  # the browser of other tests has a loop in this one
        thread.submit(asyncio.run, visit()).result()
