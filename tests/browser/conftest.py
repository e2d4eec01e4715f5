"""End-to-end fixtures: a server of its own, a browser, visits that fail on what should not happen.

`visit(path, dark=, phone=, server=)` opens a page of the app and returns it; `visit.expect(page, text)` names a
console error that a test provokes on purpose. At the end of the test any other console error, and any
request that left this machine, fails it. `shot(page, name)` saves a screenshot: below pytest's temporary folder,
or in the folder that PERTURB_SHOTS names.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.drive import CHROMIUM, Visit, chromium, idle, serve

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests carry their marker, and share one worker: two servers at once would slow each other."""
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser():
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("needs playwright (make test installs it)")
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM} (on Debian: apt-get install chromium)")
    with chromium() as instance:
        yield instance


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one server that the tests of this run share."""
    with serve(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`fresh_server(HF_ENDPOINT=...)` starts a server that nobody has visited, with that environment."""
    with ExitStack() as running:
        yield lambda **environment: running.enter_context(serve(tmp_path_factory.mktemp("fresh"), **environment))


class Visitor:
    """Opens pages; see the module's docstring."""

    def __init__(self, browser, home: Callable[[], str]):
        self.browser, self.home, self.visits = browser, home, []

    def __call__(self, path: str = "/", *, dark: bool = False, phone: bool = False, server: str | None = None):
        visit = Visit(self.browser, dark=dark, phone=phone)
        self.visits.append(visit)
        visit.page.goto((server or self.home()) + path)
        return visit.page

    def expect(self, page, text: str) -> None:
        next(visit for visit in self.visits if visit.page is page).expected.append(text)

    def faults(self) -> list[str]:
        return [fault for visit in self.visits for fault in visit.unexpected()]


@pytest.fixture
def visit(browser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    visitor = Visitor(browser, lambda: request.getfixturevalue("server"))
    yield visitor
    faults = visitor.faults()
    for opened in visitor.visits:
        opened.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def shot(tmp_path: Path) -> Callable[..., Path]:
    def save(page, name: str, *, full: bool = False) -> Path:
        folder = Path(os.environ.get("PERTURB_SHOTS") or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        idle(page)
        page.screenshot(path=str(path), full_page=full)
        return path

    return save
