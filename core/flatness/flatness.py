"""What a measure of flatness gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

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


def part_of(run: Run[T], stage: str, index: int, count: int) -> Run[T]:
    """`run` as part `index` of `count` equally long ones of one stage; what it says of itself is left out."""

    def counted(progress: Progress) -> Progress:
        total = progress.total
        return Progress(stage, min(index * total + progress.step, count * total), count * total)

    return mapped(run, counted)
