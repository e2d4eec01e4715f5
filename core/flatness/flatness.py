"""What a measure of flatness gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from core.metrics.intervals import student
from core.runs import Progress, Run, mapped

T = TypeVar("T")


@dataclass(frozen=True)
class Flatness:
    """How much the loss rises when the weights are moved; larger is sharper.

    value : in nats: the mean of `draws` in the average case, the largest of them in the worst case
    reference : mean loss at the weights themselves, in nats
    accuracy : share of the pictures that are right there, under the same attack
    draws : the rise of each draw, or of each restart of the worst case, in nats
    n : pictures
    """

    value: float
    reference: float
    accuracy: float
    draws: tuple[float, ...]
    n: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean over the draws (Student's t); None for fewer than two."""
        return student(list(self.draws))


class Parts:
    """The progress of several runs of equal length, told as that of one stage.

    Pictures that are told stay on every later progress, so that whoever looks in between sees them too.
    """

    def __init__(self, stage: str, count: int) -> None:
        self.stage, self.count, self.done, self.unit = stage, count, 0, 0
        self.images: dict[str, Tensor] = {}

    def part(self, run: Run[T]) -> Run[T]:
        """The next of the runs; what it says of itself, but how far it is, is left out."""

        def counted(progress: Progress) -> Progress:
            self.unit = self.unit or progress.total
            return self._at(progress.step / progress.total)

        result = yield from mapped(run, counted)
        self.done += 1
        return result

    def told(self, metrics: dict[str, float], images: dict[str, Tensor] | None = None) -> Progress:
        """What is known after the runs so far."""
        self.images = images or self.images
        return self._at(0.0, metrics)

    def _at(self, share: float, metrics: dict[str, float] | None = None) -> Progress:
        step = max(1, round(self.unit * (self.done + share)))
        return Progress(self.stage, step, self.unit * self.count, metrics or {}, dict(self.images))
