"""One visitor without a browser: Streamlit's own protocol, as its client speaks it over the websocket.

A browser sends a `BackMsg` (which page, what the address says, what the widgets say, which large messages it still
holds) and is sent `ForwardMsg`s until one says that the script has finished. `Session` does the same and draws nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE = 120.0
"""Seconds after which an answer is an error."""

MAX_MESSAGE = 200_000_000


@dataclass
class Answer:
    """What came back for one interaction.

    seconds : from the request to the end of the script, with every rerun that the script itself asked for
    messages, bytes : what was received meanwhile, by fragments that poll as well
    errors : sentences of the page's error boxes, and messages of exceptions
    """

    seconds: float = 0.0
    messages: int = 0
    bytes: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Widget:
    """A widget on the page: the name of its kind ("slider", "button"), its message, the fragment it lies in."""

    kind: str
    proto: Any
    fragment: str

    @property
    def key(self) -> str:
        """The name that the app gave it: the last part of its id."""
        return self.proto.id.split("-", 2)[-1]


class Session:
    """A visitor's tab: `async with Session(address) as tab: await tab.open("defend")`.

    address : of the server, "http://127.0.0.1:8501"
    """

    def __init__(self, address: str):
        self.address = address
        self.pages: dict[str, str] = {}
        self.widgets: dict[str, Widget] = {}
        self._page = self._query = ""
        self._states: dict[str, WidgetState] = {}
        self._held: dict[str, int] = {}
        self._age, self._runs = 2, 0
        self._drawn: set[str] = set()
        self._whole = False
        self._polls: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._finished = asyncio.Event()
        self._asked = ""
        self._answer = Answer()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Session:
        url = f"ws{self.address.removeprefix('http')}/_stcore/stream"
        protocols = [Subprotocol("streamlit")]
        self._socket = await connect(url, subprotocols=protocols, max_size=MAX_MESSAGE, open_timeout=60)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_polling(list(self._polls))
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str = "", query: str = "") -> Answer:
        """Open a page by its address, for the first time or by a click in the navigation."""
        self._query = query
        self._stop_polling(list(self._polls))
        return await self._ask(hash_=self.pages.get(page, ""), name="" if page in self.pages else page)

    async def set(self, widget: Widget, value: Any) -> Answer:
        """Move a widget: a number, a word, or None to press a button."""
        state = WidgetState(id=widget.proto.id)
        FILL[widget.kind](state, value)
        if widget.kind == "button":
            return await self._ask(widget.fragment, extra=state)
        self._states[widget.proto.id] = state
        if parameter := getattr(widget.proto, "query_param_key", ""):
            self._query = urlencode({**dict(parse_qsl(self._query)), parameter: str(value)})
        return await self._ask(widget.fragment)

    def find(self, *kinds: str) -> list[Widget]:
        """The page's widgets of these kinds that can be moved."""
        return [each for each in self.widgets.values() if each.kind in kinds and not each.proto.disabled]

    async def _ask(
        self, fragment: str = "", *, hash_: str = "", name: str = "", extra: WidgetState | None = None
    ) -> Answer:
        start, self._answer, self._asked = time.perf_counter(), Answer(), fragment
        self._finished.clear()
        await self._send(fragment, hash_=hash_, name=name, extra=extra)
        try:
            await asyncio.wait_for(self._finished.wait(), PATIENCE)
        except TimeoutError:
            self._answer.errors.append(f"no answer within {PATIENCE:.0f} s")
        self._answer.seconds = time.perf_counter() - start
        return self._answer

    async def _send(
        self, fragment: str = "", *, hash_: str = "", name: str = "", extra: WidgetState | None = None,
        polling: bool = False,
    ) -> None:  # fmt: skip
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.fragment_id = self._query, name, fragment
        state.page_script_hash = "" if name else hash_ or self._page
        state.is_auto_rerun = polling
        state.widget_states.widgets.extend([*self._states.values(), *([extra] if extra is not None else [])])
        state.cached_message_hashes.extend(self._held)
        state.context_info.timezone, state.context_info.url = "UTC", self.address
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self._answer.bytes += len(data)
                self._answer.messages += 1
                self._take(ForwardMsg.FromString(data))
        finally:  # a connection that was cut ends what waits for it
            self._answer.errors += [] if self._finished.is_set() else ["the connection was closed"]
            self._finished.set()

    def _take(self, message: ForwardMsg) -> None:
        kind, whole = message.WhichOneof("type"), not message.metadata.run.fragment_ids
        if message.metadata.cacheable:
            self._held[message.hash] = self._runs
        if kind == "ref_hash":
            self._held[message.ref_hash] = self._runs
        elif kind == "delta":
            self._element(message)
        elif kind == "new_session" and not whole:
            # A fragment never interrupts a whole run, so that run is over. Streamlit drops the message that says so
            # where a poll arrives between the end of the run and that of its thread.
            if self._whole:
                self._end(ForwardMsg.FINISHED_SUCCESSFULLY, True)
        elif kind == "new_session":
            session, self._drawn, self._whole = message.new_session, set(), True
            self._stop_polling(list(self._polls))  # those that are still drawn say so again
            self._page, self._age = session.page_script_hash, session.config.max_cached_message_age
        elif kind == "navigation":
            self.pages = {
                "" if page.is_default else page.url_pathname: page.page_script_hash
                for page in message.navigation.app_pages
            }
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._poll(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_polling(list(message.stop_auto_rerun.fragment_ids))
        elif kind == "script_finished":
            self._end(message.script_finished, whole)

    def _element(self, message: ForwardMsg) -> None:
        delta = message.delta
        kind = delta.new_element.WhichOneof("type") if delta.WhichOneof("type") == "new_element" else None
        if kind in FILL:
            proto = getattr(delta.new_element, kind)
            self.widgets[proto.id] = Widget(kind, proto, delta.fragment_id)
            self._drawn.add(proto.id)
        elif kind == "exception":
            self._answer.errors.append(delta.new_element.exception.message or delta.new_element.exception.type)
        elif kind == "alert" and delta.new_element.alert.format == delta.new_element.alert.ERROR:
            self._answer.errors.append(delta.new_element.alert.body)

    def _end(self, status: int, whole: bool) -> None:
        """The end of a run; that of a poll, or of a script that asked for another run, is not what is waited for."""
        self._whole = self._whole and not whole
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN or (not whole and not self._asked):
            return
        if whole and status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._runs += 1
            self._held = {name: since for name, since in self._held.items() if self._runs - since <= self._age}
            self.widgets = {name: each for name, each in self.widgets.items() if name in self._drawn}
            self._states = {name: state for name, state in self._states.items() if name in self._drawn}
        self._finished.set()

    def _poll(self, fragment: str, interval: float) -> None:
        if fragment in self._polls and self._polls[fragment][0] == interval:
            return
        self._stop_polling([fragment])

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                await self._send(fragment, polling=True)

        self._polls[fragment] = interval, asyncio.create_task(again())

    def _stop_polling(self, fragments: list[str]) -> None:
        for name in fragments:
            if found := self._polls.pop(name, None):
                found[1].cancel()


def _number(state: WidgetState, value: float) -> None:
    state.double_value = value


FILL: dict[str, Callable[[WidgetState, Any], None]] = {
    "slider": lambda state, value: state.double_array_value.data.append(value),
    "number_input": _number,
    "selectbox": lambda state, value: setattr(state, "string_value", value),
    "button_group": lambda state, value: state.string_array_value.data.append(value),
    "button": lambda state, _: setattr(state, "trigger_value", True),
}
"""How each kind of widget that a visitor moves says its value."""
