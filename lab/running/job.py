"""A job: one run, its state, and everybody who watches it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core.runs import Progress
from lab.results import Result
from lab.running.curve import Curve
from lab.running.pace import Pace

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.running.pool import JobPool

ACTIVE = ("queued", "running")


class Busy(ValueError):
    """The pool takes no further job from this visitor, or from anybody, just now."""


class Job:
    """One run, and everybody who watches it. Only the pool changes it; a page reads, and calls `stop` and `seen`.

    state : "queued", "running", "done", "failed" or "stopped"
    progress : the latest Progress (its `model` is the model as it stands), or None
    pace : how far the whole run is
    curve : the recorded moments so far, as in `Result.curve`
    result : the Result when done; when stopped, what the run had found by then (`Result.stopped`)
    error : one sentence when failed, else ""
    """

    def __init__(self, recipe: Recipe, key: str, pool: JobPool):
        self.recipe, self.key = recipe, key
        self.state = "queued"
        self.progress: Progress | None = None
        self.result: Result | None = None
        self.error = ""
        self.watchers: dict[str, float] = {}
        self._pool = pool
        self.record = Curve(recipe.kind.scores)
        self.pace = Pace()
        self._stage_start = 0.0
        self.cancelled = False

    @property
    def curve(self) -> list[dict[str, Any]]:
        return self.record.points

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in ACTIVE

    @property
    def place(self) -> int:
        """How many jobs come before this one's end of the queue, itself included; 0 when it does not wait."""
        return self._pool.place(self)

    @property
    def seconds(self) -> float:
        """Seconds since the run started; 0 while it waits."""
        return 0.0 if self.state == "queued" else time.monotonic() - self.record.start

    @property
    def share(self) -> float:
        """How much of the whole run is done, in [0, 1]; it never falls."""
        return self.pace.share

    @property
    def seconds_left(self) -> tuple[float | None, bool]:
        """Seconds left, and whether of the whole run: where no earlier run tells them, of this stage by its own rate.

        None while neither is known.
        """
        now = self.progress
        if self.state != "running" or now is None:
            return None, self.pace.known
        if self.pace.known:
            return self.pace.left(self.seconds), True
        if now.step < 2:
            return None, False
        return (time.monotonic() - self._stage_start) / (now.step - 1) * max(0, now.total - now.step), False

    def stop(self, visitor: str) -> None:
        """`visitor` no longer wants it; the run ends within one step unless somebody else watches."""
        self._pool.leave(self, visitor)

    def seen(self, visitor: str) -> None:
        """A sign of life of `visitor`, at least every `settings.abandon_after` seconds."""
        if visitor in self.watchers:
            self.watchers[visitor] = time.monotonic()

    def finish(self, result: Result) -> Job:
        """The job as done, with a result that was kept."""
        self.state, self.result, self.record.points = "done", result, result.curve
        return self

    def note(self, progress: Progress) -> None:
        """Take up one progress of the run; the run itself has recorded it."""
        if self.progress is None or self.progress.stage != progress.stage:
            self._stage_start = time.monotonic()
        self.progress = progress
        self.pace.note(progress)
