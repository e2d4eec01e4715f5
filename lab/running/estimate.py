"""About how long a run will take, before it is started.

The time of an earlier run of the method (this server's, else one that ships with the lab), times how much longer the
chosen model takes for one picture than that run's model did, both measured here, each on as many cores as its run has.
Steps that a knob has changed are allowed for in proportion.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.device import best_device
from lab import run_log
from lab.results import kept
from lab.running.pass_time import seconds_per_picture
from lab.running.pool import pool

if TYPE_CHECKING:
    from lab.recipes import Recipe

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take.

    seconds : in all; told : the earlier runs behind it, and the measured factors, a sentence for each
    """

    seconds: float
    told: tuple[str, ...]


def estimate(recipe: Recipe, *, wait: bool = True) -> Estimate | None:
    """What a run of the recipe, with the runs that it builds on and that are not kept, takes; None where no run tells.

    A model is loaded and measured where none of its shape has been. Without `wait`, NotMeasured (a ValueError) where
    that would wait for a running job.
    """
    base = recipe.chain[-1].model
    if not isinstance(base, str) or base.startswith("arch:"):
        return None
    seconds, told = 0.0, []
    now = seconds_per_picture(base, pool().cores, wait=wait)
    for link in recipe.chain:
        if kept.get(link.key()) is not None:
            break  # what came before it is not run again
        row = _earlier(link, base)
        if row is None:
            return None
        factor = now / seconds_per_picture(row["recipe"]["model"], _threads(row), wait=wait)
        steps = _ratio(_steps(link.to_dict()), _steps(row["recipe"]))
        seconds += row["seconds"] * factor * steps
        told.append(_sentence(row, factor, steps))
    return Estimate(seconds, tuple(told)) if told else None


def _earlier(recipe: Recipe, base: str) -> Row | None:
    """The earlier run to go by: of this model, else a shipped one; on as many cores, of like settings; the quickest."""
    asked, cores = recipe.to_dict(), pool().cores

    def fits(row: Row) -> tuple[Any, ...]:
        return row["recipe"]["model"] != base, _threads(row) != cores, -_alike(row["recipe"], asked), row["seconds"]

    rows = _rows(type(recipe.method).__name__, best_device().type, run_log.version())
    known = (row for row in rows if row["recipe"]["model"] == base or row["recipe"]["model"].startswith("zoo:"))
    return min(known, key=fits, default=None)


@functools.lru_cache(maxsize=64)
def _rows(method: str, device: str, version: tuple[object, ...]) -> tuple[Row, ...]:
    """Finished runs of a method on this kind of device that started from a model, not from another run."""
    found = (row for row in run_log.stored() if row["method"] == method and row["device"].startswith(device))
    return tuple(row for row in found if isinstance(row["recipe"]["model"], str) and row["seconds"])


def _threads(row: Row) -> int:
    """The cores that a run had, as its device says: "cpu, 2 threads"; 1 beside a GPU, where they hardly count."""
    found = re.search(r"(\d+) threads", row["device"])
    return int(found.group(1)) if found else 1


def _alike(one: Row, other: Row) -> int:
    """How many settings two recipes share."""
    shared = [value == other["method"].get(name) for name, value in one["method"].items()]
    return sum(shared) + sum(one["inputs"].get(name) == value for name, value in other["inputs"].items())


def _steps(recipe: Row) -> int:
    """The steps, or epochs, that a recipe's knobs ask for."""
    knobs = recipe["method"].items()
    return sum(value for name, value in knobs if isinstance(value, int) and name.endswith(("steps", "epochs")))


def _ratio(now: int, then: int) -> float:
    return now / then if now and then else 1.0


def _sentence(row: Row, factor: float, steps: float) -> str:
    recipe = row["recipe"]
    said = f"An earlier run of {row['method']} on {recipe['model']} took {row['seconds']:.0f} s ({row['device']})"
    said += f"; for one picture this model takes {_times(factor)} as long here, as measured"
    return said + (f", and there are {_times(steps)} as many steps." if abs(steps - 1) > 0.01 else ".")


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor >= 10 else f"{factor:.1f} times"
