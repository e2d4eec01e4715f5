"""A real server and a real browser, for the end-to-end tests and for bench/live.py.

Debian's chromium is driven by playwright's own protocol; nothing is downloaded. A `Visit` is one open
page that remembers what went wrong in it: console errors, and requests that left this machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
    "--disable-extensions",
    "--metrics-recording-only",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
]
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Streamlit fetches the glyphs of Material page icons; without a network the icon stays blank, no more.
ALLOWED_HOSTS = {"127.0.0.1", "localhost", "fonts.gstatic.com"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server(str):
    """A server's address, "http://127.0.0.1:8501", and the number of its process."""

    pid: int = 0


@contextmanager
def serve(folder: Path, *, threads: int = 1, wait: float = 60, **environment: str) -> Iterator[Server]:
    """`streamlit run app.py` on a free port with caches and history of its own under `folder`; yields its address.

    `threads` = 0 leaves the server all cores, as in real use; tests share the machine and take one.
    Raises RuntimeError with the end of the server's log when it does not answer within `wait` seconds.
    """
    port = free_port()
    url = Server(f"http://127.0.0.1:{port}")
    own = {
        "PERTURB_CACHE": str(folder / "cache"),
        "DATABASE_URL": f"sqlite:///{folder / 'history.db'}",
        "HF_HOME": str(folder / "hub"),
    }
    if threads:
        own |= {"OMP_NUM_THREADS": str(threads), "PERTURB_THREADS": str(threads)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}", "--server.fileWatcherType=none"]
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **own, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        url.pid = process.pid
        try:
            _until_it_answers(url, process, log, wait)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path, wait: float) -> None:
    end = time.monotonic() + wait
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url + "/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError("The server did not start:\n" + log.read_text(errors="replace")[-2000:])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One page in a context of its own, with everything in `faults` that should not have happened.

    `expected` holds parts of console messages that a test provokes on purpose.
    """

    def __init__(self, browser: Browser, *, dark: bool = False, phone: bool = False):
        self.context = browser.new_context(
            viewport=PHONE if phone else WIDE, color_scheme="dark" if dark else "light", accept_downloads=True
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.faults: list[str] = []
        self.expected: list[str] = []
        self.page.on("request", self._request)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))

    def _request(self, request) -> None:
        address = urlparse(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in ALLOWED_HOSTS:
            self.faults.append(f"request to {address.hostname}")

    def _console(self, message) -> None:
        place = urlparse(message.location.get("url", ""))
        # On a deep link Streamlit's client looks for its server below the page's path first: two 404s, by design.
        probe = "/_stcore/" in place.path and not place.path.startswith("/_stcore/")
        if message.type == "error" and place.hostname != "fonts.gstatic.com" and not probe:
            self.faults.append(f"console: {message.text} ({place.geturl()})")

    def unexpected(self) -> list[str]:
        """The faults that no entry of `expected` explains."""
        return [fault for fault in self.faults if not any(part in fault for part in self.expected)]

    def close(self) -> None:
        self.context.close()


def idle(page: Page, timeout: float = 30_000) -> None:
    """Wait until the page's script has run to its end (not while a fragment polls: wait for text there)."""
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for(timeout=timeout)
