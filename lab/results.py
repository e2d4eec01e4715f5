"""What an experiment leaves behind, and where finished ones are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from core.metrics import wilson
from lab.lru_cache import LRUCache
from lab.settings import settings

if TYPE_CHECKING:
    from lab.kinds.kind import Conclusion
    from lab.recipes import Recipe


@dataclass
class Result:
    """A finished (or stopped) experiment.

    recipe : what was run
    figures : numbers by flat name, shares as fractions: "before/acc", "after/asr", "clean_model/asr", "success"
    counts : the n behind a figure, under the figure's own name
    curve : one dict per recorded moment: stage, step, total, seconds, and its metrics (`lab.running.curve`)
    images : pictures and tables as tensors: "original", "adversarial", "perturbation", "confusion/before"
    per_image : lists with one entry per picture of the batch: "index", "label", "predicted", "success"
    notes : words that belong to the figures: "selection", "threshold", "controls"
    model : the repaired or trained model, where there is one
    networks : what was trained only to be compared, by name; it is not saved, and nothing starts from it
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
    networks: dict[str, nn.Module] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    def interval(self, name: str) -> tuple[float, float] | None:
        """The 95 % Wilson interval of a share, or None where its n is unknown."""
        n = self.counts.get(name)
        return None if not n else wilson(self.figures[name], n)

    @property
    def conclusion(self) -> Conclusion | None:
        """What came out of it; None where it was stopped."""
        return None if self.stopped else self.recipe.kind.conclude(self)

    def row(self) -> dict[str, Any]:
        """The result as JSON data: no pictures, no model, nothing about the visitor."""
        came_out = self.conclusion
        return {
            "recipe": self.recipe.to_dict(),
            "key": self.recipe.key(),
            "method": type(self.recipe.method).__name__,
            "figures": dict(self.figures),
            "counts": dict(self.counts),
            "notes": dict(self.notes),
            "outcome": "" if came_out is None else came_out.outcome,
            "conclusion": "" if came_out is None else came_out.text,
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "versions": dict(self.versions),
            "stopped": self.stopped,
        }


kept: LRUCache[Result] = LRUCache(settings.result_entries, settings.result_seconds)
"""The process's finished results by cache key: of the job pool, and of the links of a chain."""
