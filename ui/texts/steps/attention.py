"""Explanation consistency step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, method_of, report, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result

MOMENTS = {"before": "before the training", "after": "after the training", "beside": "after the second training"}


def by_consistency(result: Result, place: Place | None) -> list[Step]:
    """The mean E over the training pictures, and what the picture of the lowest E counts for."""
    found = report(result)
    e, weights = found.get("consistency"), found.get("weights")
    if e is None or weights is None:
        return []
    mean = tex(float(e.mean()))
    steps = [Step(f"The mean over {len(e)} training pictures, when it was last measured.", rf"\bar E = {mean}")]
    if method_of(result).weights == "1 - E":
        lowest, floor = int(e.argmin()), tex(method_of(result).floor)
        counts = tex(float(weights[lowest]))
        steps.append(Step(
            "The picture of the lowest E: its v, and what it counts for.",
            rf"v = \max(1 - {tex(float(e[lowest]))}, {floor}),\quad v' = {counts}",
        ))  # fmt: skip
    return steps


def shuffled(result: Result, place: Place | None) -> list[Step]:
    """Right on shuffled backgrounds, as counts."""
    return _counted(result, "shuffled", "Right on shuffled backgrounds")


def background(result: Result, place: Place | None) -> list[Step]:
    """Right on backgrounds alone, as counts."""
    return _counted(result, "background", "Right on the background alone")


def energy(result: Result, place: Place | None) -> list[Step]:
    """The mean share on the object."""
    return _plain(result, "epg", "Mean share of the positive mass that lies on the object")


def mean_e(result: Result, place: Place | None) -> list[Step]:
    """The mean E."""
    return _plain(result, "consistency", "Mean E")


def _counted(result: Result, key: str, words: str) -> list[Step]:
    return [Step(f"{words}, {when}.", counted(share, n)) for share, n, when in _moments(result, key)]


def _plain(result: Result, key: str, words: str) -> list[Step]:
    return [Step(f"{words}, over {n} pictures, {when}.", tex(value)) for value, n, when in _moments(result, key)]


def _moments(result: Result, key: str) -> list[tuple[float, int, str]]:
    """A figure at each moment that has it, with its n and the moment in words."""
    found = {f"{moment}/{key}": said for moment, said in MOMENTS.items()}
    return [
        (result.figures[name], result.counts[name], said) for name, said in found.items() if name in result.figures
    ]
