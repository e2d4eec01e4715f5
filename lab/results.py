"""What an experiment leaves behind, and where finished ones are kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from core.metrics import wilson
from core.runs import Progress
from lab.recipes import Recipe
from lab.settings import settings

T = TypeVar("T")


@dataclass
class Result:
    """A finished (or stopped) experiment.

    recipe : what was run
    figures : numbers by flat name, shares as fractions: "before/acc", "after/asr", "clean_model/asr", "success"
    counts : the n behind a figure, under the figure's own name
    curve : one dict per recorded moment: stage, step, total, seconds, and its metrics
    images : pictures and tables as tensors: "original", "adversarial", "perturbation", "confusion/before"
    per_image : lists with one entry per picture of the batch: "index", "label", "predicted", "success"
    notes : words that belong to the figures: "selection", "threshold", "controls"
    model : the repaired or trained model, where there is one
    seconds, device, versions : how long it took, on what, with which code, model and data
    stopped : True when the run was stopped; the figures are then those of the last score taken
    """

    recipe: Recipe
    figures: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    images: dict[str, Tensor] = field(default_factory=dict)
    per_image: dict[str, list] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    model: nn.Module | None = None
    seconds: float = 0.0
    device: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    def interval(self, name: str) -> tuple[float, float] | None:
        """The 95 % Wilson interval of a share, or None where its n is unknown."""
        n = self.counts.get(name)
        return None if not n else wilson(self.figures[name], n)

    def row(self) -> dict[str, Any]:
        """The result as JSON data: no pictures, no model, nothing about the visitor."""
        return {
            "recipe": self.recipe.to_dict(),
            "key": self.recipe.key(),
            "method": type(self.recipe.method).__name__,
            "figures": dict(self.figures),
            "counts": dict(self.counts),
            "notes": dict(self.notes),
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "versions": dict(self.versions),
            "stopped": self.stopped,
        }


class Curve:
    """The recorded moments of a run: at most about ten a second, every stage's first and every score."""

    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []
        self.start = time.monotonic()

    def note(self, progress: Progress) -> None:
        """Record `progress`, unless it comes too soon after the last one and says nothing new."""
        seconds = time.monotonic() - self.start
        last = self.points[-1] if self.points else None
        new = last is None or last["stage"] != progress.stage or progress.step >= progress.total
        if not new and "acc" not in progress.metrics and seconds - last["seconds"] < 0.1:  # type: ignore[index]
            return
        self.points.append(
            {"stage": progress.stage, "step": progress.step, "total": progress.total, "seconds": round(seconds, 3)}
            | dict(progress.metrics)
        )


def partial(recipe: Recipe, curve: list[dict[str, Any]], last: Progress | None) -> Result:
    """What a stopped run still tells: its scores before and as of the last live score, and its model."""
    result = Result(recipe, curve=list(curve), stopped=True)
    scored = [point for point in curve if "acc" in point]
    before = next((point for point in scored if point["stage"] == "before"), None)
    after = next((point for point in reversed(scored) if point["stage"] != "before"), None)
    for moment, point in (("before", before), ("after", after)):
        for name in ("acc", "asr", "ra"):
            if point is not None and name in point:
                result.figures[f"{moment}/{name}"] = point[name]
                result.counts[f"{moment}/{name}"] = int(point["n" if name == "acc" else "n_asr"])
    if last is not None and last.model is not None:
        result.model = last.model.eval().requires_grad_(False)
        result.model.zero_grad(set_to_none=True)
    result.seconds = curve[-1]["seconds"] if curve else 0.0
    return result


class Kept(Generic[T]):
    """Finished results, or other things, by key: the least recently used goes first, an old one is forgotten."""

    def __init__(self, entries: int, seconds: float):
        self.entries, self.seconds = entries, seconds
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        """What is kept under `key`, or None."""
        with self._lock:
            if key not in self._held:
                return None
            since, value = self._held[key]
            if time.monotonic() - since > self.seconds:
                del self._held[key]
                return None
            self._held.move_to_end(key)
            return value

    def put(self, key: str, value: T) -> None:
        """Keep `value` under `key`, and forget what no longer fits."""
        with self._lock:
            self._held[key] = (time.monotonic(), value)
            self._held.move_to_end(key)
            while len(self._held) > self.entries:
                self._held.popitem(last=False)


kept: Kept[Result] = Kept(settings.result_entries, settings.result_seconds)
"""The process's finished results: of the pool, and of the links of a chain."""
