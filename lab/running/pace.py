"""How far a whole run is: its stages, weighed by the time that they took in an earlier run of the method.

A run tells its stage and the step within it, and not which stages will follow. So the lab keeps what the finished runs
of each method have shown: which stages in which order, how many steps and how many seconds each. Steps that a knob has
changed are allowed for; how fast the machine is drops out, since only shares of the time count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.runs import Progress
from lab.kinds.shared.scoring import STILL
from lab.results import kept

if TYPE_CHECKING:
    from lab.recipes import Recipe

LOAD = "load"
"""The stage that every experiment begins with; that of a chain ends when the run before it has ended."""

MOST = 0.99
"""Of the bar, until the run has ended."""


@dataclass(frozen=True)
class Stage:
    """One stage of a finished run: its steps, and the seconds that they took."""

    name: str
    steps: int
    seconds: float

    def of(self, steps: int) -> Stage:
        """The same stage with another number of steps."""
        return dataclasses.replace(self, steps=steps, seconds=self.seconds * steps / max(1, self.steps))


class Pace:
    """The stages of a run, and where it stands: `note` each progress, then read `share`.

    share : of the whole run, in [0, 1]; it never falls
    known : whether an earlier run says what is to come. Where none does, each stage of the method is given half of
        what is left, and loading and scoring, which are short, a twentieth.
    """

    def __init__(self, stages: Sequence[Stage] = ()):
        self.known = bool(stages)
        self.share = 0.0
        self._ahead, self._behind = list(stages), 0.0
        self._now: Stage | None = None
        self._step, self._start = 0, 0.0

    def note(self, progress: Progress) -> None:
        """Take up one progress of the run."""
        if self._now is None or progress.stage != self._now.name or progress.step < self._step:
            self._enter(progress)
        assert self._now is not None
        if progress.total != self._now.steps:  # such as one that ends early
            self._now = self._now.of(progress.total)
        self._step = progress.step
        part = min(1.0, progress.step / max(1, progress.total))
        self.share = max(self.share, min(MOST, self._by_time(part) if self.known else self._by_halves(part)))

    def left(self, seconds: float) -> float | None:
        """Seconds to the end, after `seconds` of a run whose stages are known; None while it has hardly begun."""
        return seconds * (1 - self.share) / self.share if self.known and self.share > 0.02 else None

    def _by_time(self, part: float) -> float:
        assert self._now is not None
        done = self._behind + part * self._now.seconds
        whole = self._behind + self._now.seconds + sum(stage.seconds for stage in self._ahead)
        return done / whole if whole else 0.0

    def _by_halves(self, part: float) -> float:
        assert self._now is not None
        return self._start + (1 - self._start) * part * (0.05 if self._now.name in STILL else 0.5)

    def _enter(self, progress: Progress) -> None:
        """Go on to the next stage of this name; those before it were left out this time, such as a kept result's."""
        if self._now is not None:
            self._behind += self._now.seconds
        self._start = self.share
        place = next((i for i, stage in enumerate(self._ahead) if stage.name == progress.stage), None)
        if place is None:
            self._now = Stage(progress.stage, progress.total, 0.0)  # nobody knows how long: the bar waits
        else:
            self._now = self._ahead[place].of(progress.total)
            del self._ahead[: place + 1]


class Paces:
    """What finished runs have shown of each method, the latest of each."""

    def __init__(self, known: Mapping[str, Sequence[Stage]] | None = None) -> None:
        self._known: dict[str, list[Stage]] = {name: list(stages) for name, stages in (known or {}).items()}

    def learn(self, recipe: Recipe, points: Iterable[Mapping[str, Any]]) -> None:
        """Keep the stages of a finished run from the recorded moments of its curve."""
        if stages := own_stages(points):
            self._known[_name(recipe)] = stages

    def of(self, recipe: Recipe) -> Pace:
        """The pace of a run that is about to start; of a chain, with the runs before it whose results are not kept."""
        stages: list[Stage] = []
        for link in reversed(recipe.chain):
            if link is not recipe and kept.get(link.key()) is not None:
                continue
            own = self._known.get(_name(link))
            if own is None:
                return Pace()
            stages += own
        return Pace(stages)


def own_stages(points: Iterable[Mapping[str, Any]]) -> list[Stage]:
    """The stages of a run, in their order, without those of the runs that it builds on."""
    stages: list[Stage] = []
    name, before, last, step = "", 0.0, 0.0, 0
    for point in points:
        if point["stage"] != name or point["step"] < step:
            name, before = point["stage"], last
            stages.append(Stage(name, point["total"], 0.0))
        last, step = point["seconds"], point["step"]
        stages[-1] = Stage(name, point["total"], last - before)
    loads = [place for place, stage in enumerate(stages) if stage.name == LOAD]
    return stages[loads[-1] + 1 if loads else 0 :]


def _name(recipe: Recipe) -> str:
    return type(recipe.method).__name__


paces = Paces()
"""The process's."""
