"""The record of a run: the moments from which its curve is drawn."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from core.runs import Progress
from lab.kinds.kind import Score
from lab.kinds.shared.scoring import STILL
from lab.running.pace import LOAD

PAUSE = 0.1
"""Seconds between two recorded moments of one stage that bring no score."""


class Curve:
    """The recorded moments of a run: at most about ten a second, every stage's first and last and every score.

    points : one dict per moment: stage, step, total, seconds since the start, and the metrics of its progress
    moments : how many steps the run's model has taken, those of the runs that it builds on left out; the same at the
        same place of every run of a recipe
    """

    def __init__(self, scores: Iterable[Score] = ()) -> None:
        self.scores = {score.key for score in scores if score.live}
        self.points: list[dict[str, Any]] = []
        self.start = time.monotonic()
        self.moments, self._loading, self._last = 0, 0, ("", 0)

    def note(self, progress: Progress) -> None:
        """Record `progress`, unless it comes too soon after the last one and says nothing new."""
        self._count(progress)
        seconds = time.monotonic() - self.start
        last = self.points[-1] if self.points else None
        new = last is None or last["stage"] != progress.stage or progress.step >= progress.total
        if not new and not self.scores & progress.metrics.keys() and seconds - last["seconds"] < PAUSE:  # type: ignore[index]
            return
        self.points.append(
            {"stage": progress.stage, "step": progress.step, "total": progress.total, "seconds": round(seconds, 3)}
            | dict(progress.metrics)
        )

    def _count(self, progress: Progress) -> None:
        """Runs that it builds on come between the first and the second progress of its stage "load"."""
        place = progress.stage, progress.step
        if progress.stage == LOAD:
            self._loading += 1 if progress.step == 1 else -1
        elif not self._loading and progress.model is not None and progress.stage not in STILL and place != self._last:
            self.moments += 1
        self._last = place
