"""How live the app is: a real server, a real browser, one visitor with one job.

    python -m bench.live [--repeats 3]

Measured with a clock outside the app, on the defaults of the Triggers and Defend pages:

- cold start to the first text of a deep link, and to a page whose controls work (from starting the process);
- a trigger slider's step to the new picture, prediction and heatmap;
- the Defend click to the first progress, and to the finished run.

Writes lab/stored/tables/live.json.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bench.drive import Visit, chromium, idle, serve
from bench.keep import keep

HEADING = "h1"
START = ".st-key-defend-start button"
SLIDER = ".st-key-badnets-side input[type=range]"
PICTURE = "[data-testid='stMain'] [data-testid='stImage'] img"
#: True once the triggered picture and its heatmap, at least, are others than before.
NEW_PICTURES = """([selector, before]) =>
    [...document.querySelectorAll(selector)].filter(image => !before.includes(image.src)).length >= 2"""
PROGRESS = re.compile(r"step \d+ of")
DONE = re.compile("Finished after")


def cold_start(browser: Browser, folder: Path) -> tuple[float, float]:
    """Seconds from starting the server to the first text of /defend, and to its idle page with a working button."""
    start = time.perf_counter()
    with serve(folder, threads=0) as url:
        visit = Visit(browser)
        visit.page.goto(url + "/defend", wait_until="commit")
        visit.page.locator(HEADING).first.wait_for()
        text = time.perf_counter() - start
        expect(visit.page.locator(START)).to_be_enabled(timeout=60_000)
        idle(visit.page)
        usable = time.perf_counter() - start
        visit.close()
    return text, usable


def slider(page: Page, url: str, picture: int, moves: int = 8) -> float:
    """Median seconds from one step of BadNets' first slider to the new picture, prediction and heatmap.

    Each step reaches a new value, and each call takes another picture, so that no answer comes from a cache.
    """
    page.goto(f"{url}/triggers?v=1&images={picture}")
    control = page.locator(SLIDER)
    control.wait_for(timeout=60_000)
    page.locator(PICTURE).nth(3).wait_for()
    idle(page)
    times = []
    for _ in range(moves):
        before = page.locator(PICTURE).evaluate_all("images => images.map(image => image.src)")
        control.focus()
        start = time.perf_counter()
        control.press("ArrowRight")
        page.wait_for_function(NEW_PICTURES, arg=[PICTURE, before])
        times.append(time.perf_counter() - start)
        idle(page)
    return sorted(times)[len(times) // 2]


def defend(page: Page, url: str, seed: int) -> tuple[float, float]:
    """Seconds from the Defend click to the first progress and to the end of the run (another seed: never cached)."""
    page.goto(f"{url}/defend?v=1&seed={seed}")
    button = page.locator(START)
    expect(button).to_be_enabled(timeout=60_000)
    idle(page)
    start = time.perf_counter()
    button.click()
    page.get_by_text(PROGRESS).first.wait_for()
    first = time.perf_counter() - start
    page.get_by_text(DONE).first.wait_for(timeout=600_000)
    return first, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        colds = [cold_start(browser, Path(folder) / f"cold{i}") for i in range(repeats)]
        with serve(Path(folder) / "warm", threads=0) as url:
            visit = Visit(browser)
            moves = [slider(visit.page, url, picture) for picture in range(5, 5 + repeats)]
            runs = [defend(visit.page, url, seed) for seed in range(1, repeats + 1)]
    rows = [
        {"what": "cold start to the first text of a deep link", "time": [text for text, _ in colds], "goal": "≤ 3 s"},
        {"what": "cold start to a usable page", "time": [usable for _, usable in colds], "goal": "≤ 6 s"},
        {"what": "trigger slider to picture, prediction and heatmap", "time": moves, "goal": "≤ 0.5 s"},
        {"what": "Defend click to the first progress", "time": [first for first, _ in runs], "goal": "≤ 1 s"},
        {"what": "TSBD, defaults, from click to end", "time": [total for _, total in runs], "goal": "≤ 60 s"},
    ]
    path = keep(
        "live",
        "How live it is",
        rows,
        command="python -m bench.live",
        n=f"{repeats} repeats, one visitor with one job, headless chromium on the same machine",
        seeds=list(range(1, repeats + 1)),
        units={"time": "s"},
    )
    print(path.read_text())


if __name__ == "__main__":
    main()
