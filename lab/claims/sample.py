"""A figure with its repetitions, and in words."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from core.metrics.intervals import student


@dataclass(frozen=True)
class Sample:
    """A figure's values, one for each repetition.

    over : what it was repeated over, in the plural ("seeds", "nets")
    n : what each value was measured on; seeds : those of the runs, as far as they are known
    bounds : a 95 % interval where it is not Student's interval of the mean
    count : of the repetitions, where there is one value of them all (a correlation)
    """

    values: tuple[float, ...]
    over: str
    n: str
    hardware: str
    seeds: tuple[int, ...] = ()
    bounds: tuple[float, float] | None = None
    count: int = 0

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean; None for a single value."""
        return self.bounds or student(list(self.values))


def number(value: float, unit: str, *, whole: bool = False) -> str:
    """A figure with its unit: shares in percent, differences of shares in points; `whole` drops a zero fraction."""
    scaled = 100 * value if unit in ("%", "points") else value
    if math.isnan(scaled):
        return "not a number"
    digits = 0 if whole and scaled == round(scaled) else 1 if unit in ("%", "points") else 2
    sign = "+" if unit == "points" and not whole and scaled > 0 else ""
    return f"{sign}{scaled:.{digits}f}{' ' + unit if unit else ''}".replace("-", "−")


def figure(sample: Sample, unit: str) -> str:
    """A sample in words: its mean, its interval, and what it was repeated over."""
    if sample.interval is None:
        return number(sample.mean, unit)
    low, high = (number(end, unit).removesuffix(f" {unit}") for end in sample.interval)
    return f"{number(sample.mean, unit)} ({low} to {high}; {sample.count or len(sample.values)} {sample.over})"
