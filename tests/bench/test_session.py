"""The visitor without a browser polls what a browser would poll."""

from __future__ import annotations

import asyncio

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.session import Session


def polling(fragment: str) -> ForwardMsg:
    message = ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, 60.0
    return message


def new_session(*fragments: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.page_script_hash = "page"
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def test_a_new_run_of_the_page_ends_the_polls_of_the_last_one() -> None:
    async def visit() -> list[list[str]]:
        tab, seen = Session("http://127.0.0.1:1"), []
        for message in (
            polling("one"), polling("two"), new_session("one"), new_session(), polling("two"),
        ):  # fmt: skip
            tab._take(message)
            seen.append(sorted(tab._polls))
        tab._stop_polling(list(tab._polls))
        return seen

    assert asyncio.run(visit()) == [["one"], ["one", "two"], ["one", "two"], [], ["two"]]
