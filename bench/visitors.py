"""A room of visitors: how long each waits, what a rerun of each page costs, and whether memory grows.

    python -m bench.visitors [--visitors 30] [--minutes 4] [--runs 0.02] [--seed 0]

A fresh server; first one visitor alone, for the processor time of a rerun of each page, then all of them: each opens
pages, moves sliders, takes another picture and now and then starts a run, with two to four seconds between an answer
and the next move. They speak the protocol of Streamlit's client over the websocket (`bench.session`), but draw nothing.

On an idle machine only: the visitors share it with the server. Linux only (/proc). Writes
lab/stored/tables/visitors.json; a smaller room, or a shorter time, is only printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from bench.drive import Server, serve
from bench.keep import keep
from bench.session import Answer, Session, Widget
from ui.pages import PAGES, page_of

VISITORS, MINUTES = 30, 4.0
"""The least that is kept."""

PICTURES = 50
"""Test pictures among which visitors choose."""

THINKING = (2.0, 4.0)
"""Seconds between an answer and the next move."""

SHARES = {"page": 0.3, "picture": 0.2, "control": 0.5}
"""How often a visitor opens another page, takes another picture, moves a slider of the page."""

STARTS = {f"{page.slug}-start" for page in PAGES}
"""The buttons that start a page's run."""

REFUSALS = "You already have", "runs are waiting already"
"""What the sentences say that refuse a run: to a visitor who has two, and to all while the queue is full."""

RERUNS = 20
"""Reruns of each page whose processor time is taken."""


@dataclass
class Record:
    """What happened in the room: seconds by what was done, runs refused, what went wrong, memory in MB."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    warm: float = 0.0
    end: float = 0.0

    def note(self, what: str, answer: Answer) -> None:
        self.seconds.setdefault(what, []).append(answer.seconds)
        refused = [each for each in answer.errors if any(said in each for said in REFUSALS)]
        self.refused += len(refused)
        self.errors.update(each for each in answer.errors if each not in refused)


def memory(server: Server) -> float:
    """The server's resident memory in MB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def processor(server: Server) -> float:
    """Milliseconds of processor time that the server's threads have taken, those that have ended included."""
    return 1000 * time.clock_gettime((~server.pid << 3) | 2)  # Linux: the clock of another process


async def until_warm(server: Server) -> None:
    """Wait until the server has its first model in memory."""
    while True:
        with urllib.request.urlopen(f"{server}/healthz", timeout=30) as answer:
            if json.load(answer)["warm"]:
                return
        await asyncio.sleep(0.2)


def sliders(tab: Session) -> list[Widget]:
    """The sliders of numbers on the page."""
    return [each for each in tab.find("slider") if not each.proto.options]


def picture(tab: Session) -> Widget:
    """The field with the number of the test picture."""
    return next(each for each in tab.find("number_input") if each.key == "images")


def moved(widget: Widget, chance: random.Random) -> float:
    """Another stop of a slider."""
    low, step = widget.proto.min, widget.proto.step
    return low + step * chance.randint(0, round((widget.proto.max - low) / step))


async def act(tab: Session, what: str, chance: random.Random) -> tuple[str, Answer]:
    """One move of a visitor, and what it was: a page without a slider has its picture changed instead."""
    starts = [each for each in tab.find("button") if each.key in STARTS]
    if what == "run" and starts:
        return "run", await tab.set(starts[0], None)
    if what == "page":
        return what, await tab.open(chance.choice(list(tab.pages)))
    if what == "control" and (found := sliders(tab)):
        widget = chance.choice(found)
        return what, await tab.set(widget, moved(widget, chance))
    return "picture", await tab.set(picture(tab), chance.randrange(PICTURES))


async def visitor(server: Server, number: int, options: argparse.Namespace, end: float, record: Record) -> None:
    """One visitor, from the first page until the time is over."""
    chance = random.Random(1000 * options.seed + number)
    await asyncio.sleep(chance.uniform(0, THINKING[1]))
    try:
        async with Session(server) as tab:
            record.note("page", await tab.open(chance.choice(PAGES[1:]).slug))
            while time.monotonic() < end:
                await asyncio.sleep(chance.uniform(*THINKING))
                drawn = chance.choices(list(SHARES), list(SHARES.values()))[0]
                record.note(*await act(tab, "run" if chance.random() < options.runs else drawn, chance))
    except (OSError, WebSocketException) as error:  # the room goes on without this visitor
        record.errors[f"{type(error).__name__}: {error}"] += 1


async def room(server: Server, options: argparse.Namespace) -> Record:
    """All visitors at once; memory counts from the end of the first quarter."""
    record, start, length = Record(), time.monotonic(), 60 * options.minutes

    async def watch() -> None:
        await asyncio.sleep(length / 4)
        record.warm = memory(server)

    visitors = [visitor(server, number, options, start + length, record) for number in range(options.visitors)]
    await asyncio.gather(watch(), *visitors)
    record.end = memory(server)
    return record


async def alone(server: Server) -> dict[str, list[float]]:
    """Milliseconds of processor time for a rerun of each page, all threads of the server together.

    Each rerun shows one of two pictures in turn, both shown before: what a page computes once is not counted.
    """
    found = {}
    async with Session(server) as tab:
        await tab.open()
        for page in list(tab.pages):
            await tab.open(page)
            pictures = (9, 14) * (RERUNS // 2 + 2)
            for number in pictures[:4]:
                await tab.set(picture(tab), number)
                await quiet(server)
            times = []
            for number in pictures[4:]:
                before = processor(server)
                await tab.set(picture(tab), number)
                times.append(processor(server) - before)
            found[page or PAGES[0].slug] = times
    return found


async def quiet(server: Server) -> None:
    """Wait until nothing computes: a page may have started a run of its own."""
    for _ in range(600):
        before = processor(server)
        await asyncio.sleep(0.2)
        if processor(server) - before < 20:
            return


def p95(values: list[float]) -> float:
    """The 95th percentile: the value that a twentieth exceed."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def rows(cost: dict[str, list[float]], record: Record) -> list[dict[str, Any]]:
    """The table: waits in the room by what was done, memory, then what a rerun of each page costs."""
    words = {"page": "page opened", "control": "slider moved", "picture": "another picture", "run": "run started"}
    waits = {words[name]: record.seconds[name] for name in words if name in record.seconds}
    waits["all that starts no run"] = [one for name, times in record.seconds.items() if name != "run" for one in times]
    goals = {"all that starts no run": "p95 ≤ 2 s"}
    growth = record.end / record.warm - 1
    return [
        *(line(f"wait: {name}", times, "s", goals.get(name, "")) for name, times in waits.items()),
        {"what": "memory after the first quarter", "median": f"{record.warm:.0f} MB"},
        {"what": "memory at the end", "median": f"{record.end:.0f} MB ({growth:+.1%})", "goal": "≤ +5 %"},
        {"what": "runs refused: two already, or queue full", "median": str(record.refused)},
        {"what": "errors", "median": str(record.errors.total()), "goal": "0"},
        *(line(f"processor: {page_of(name).title}", times, "ms", "≤ 60 ms") for name, times in cost.items()),
    ]


def line(what: str, values: list[float], unit: str, goal: str) -> dict[str, Any]:
    """Median and 95th percentile of some values, and how many they are."""
    digits = 2 if unit == "s" else 0
    median, high = (f"{value:.{digits}f} {unit}" for value in (statistics.median(values), p95(values)))
    return {"what": what, "median": median, "p95": high, "n": str(len(values)), "goal": goal}


async def measured(server: Server, options: argparse.Namespace) -> tuple[dict[str, list[float]], Record]:
    """What a page costs with one visitor alone, then the room."""
    await until_warm(server)
    return await told("pages", lambda: alone(server)), await told("room", lambda: room(server, options))


async def told(name: str, make: Callable[[], Awaitable[Any]]) -> Any:
    """Await a part of the measurement and say how long it took."""
    start = time.monotonic()
    found = await make()
    print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    return found


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--runs", type=float, default=0.02, help="share of the moves that start a run (default 0.02)")
    parser.add_argument("--seed", type=int, default=0, help="of what the visitors do")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), threads=0) as server:
        cost, record = asyncio.run(measured(server, options))
    for error, count in record.errors.most_common():
        print(f"{count} x {error}")
    table = rows(cost, record)
    for row in table:
        print(f"{row['what']:42}{row['median']:>16}{row.get('p95', ''):>12}{row.get('goal', ''):>14}")
    if options.visitors < VISITORS or options.minutes < MINUTES:
        return
    path = keep(
        "visitors",
        "A room of visitors",
        table,
        command=f"python -m bench.visitors --visitors {options.visitors} --minutes {options.minutes:g} "
        f"--runs {options.runs:g}",
        n=f"{options.visitors} visitors for {options.minutes:g} minutes over the websocket, without a browser, on the "
        f"server's machine; {options.runs:.0%} of their moves start a run; processor time of {RERUNS} reruns each",
        seeds=[options.seed],
        note="Waits run from a visitor's move to the end of the script. A page's processor time is that of the whole "
        "server while one visitor takes one of two pictures in turn.",
    )
    print(path)


if __name__ == "__main__":
    main()
