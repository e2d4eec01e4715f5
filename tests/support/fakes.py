"""Stand-ins for recipes: runs that a test steps through by hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from core.runs import Progress, Run
from lab.kinds.kind import Score
from lab.results import Result
from lab.running.curve import Curve

SCORES = (Score("acc", "Accuracy", live=True, moment="after", against="before"),)


@dataclass
class FakeRecipe:
    """A run of `steps` steps; with `held`, each step waits for `more()`."""

    name: str
    steps: int = 3
    held: bool = False
    error: BaseException | None = None
    log: list[Any] = field(default_factory=list)
    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def key(self) -> str:
        return self.name

    @property
    def method(self) -> str:
        return self.name

    @property
    def chain(self) -> list[FakeRecipe]:
        return [self]

    def more(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.permits.release()

    @property
    def kind(self) -> SimpleNamespace:
        return SimpleNamespace(scores=SCORES, live=SCORES)

    def run(self, curve: Curve | None = None) -> Run[Result]:
        record = Curve(SCORES) if curve is None else curve
        self.log.append("start")
        try:
            for step in range(1, self.steps + 1):
                if self.held:
                    assert self.permits.acquire(timeout=10)
                if self.error is not None:
                    raise self.error
                self.log.append(step)
                progress = Progress("fake", step, self.steps, {"acc": step / 10, "n": 10})
                record.note(progress)
                yield progress
        finally:
            self.log.append("closed")
        return Result(self)  # type: ignore[arg-type]


class Clock:
    """Waits until something is so, looking every few milliseconds, for at most ten seconds."""

    @staticmethod
    def until(condition: Any) -> None:
        pause = threading.Event()
        for _ in range(5000):
            if condition():
                return
            pause.wait(0.002)
        raise AssertionError("waited ten seconds in vain")
