"""Every test of one heatmap method on the same pictures: curves, localisation, sensitivity, random weights."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.explain.heatmaps.checked import asked
from core.explain.heatmaps.gradcam import GradCAM
from core.explain.heatmaps.slow import explained
from core.explain.trust.curves import Curves, Deletion, Insertion
from core.explain.trust.randomisation import Randomisation, damages
from core.explain.trust.sensitivity import MaxSensitivity
from core.knobs import Method, knob
from core.metrics.correlation import rank_correlations
from core.metrics.localisation import energy_pointing_game, iou, pointing_game
from core.runs import Run, part

MEASURES = ("deletion", "insertion", "pointing", "energy", "iou", "sensitivity", "randomised")
"""Names of the measures, in the order of a table."""


@dataclass(frozen=True)
class Trial:
    """One method's maps and what the tests say of each.

    maps : raw (N, H, W)
    curves : "deletion" and "insertion"
    scores : by the name of a measure (N,) float64; NaN where a map leaves it undefined, or there are no masks
    """

    maps: Tensor
    curves: dict[str, Curves]
    scores: dict[str, Tensor]


@dataclass(frozen=True)
class TrustTests(Method):
    """What is asked of a heatmap before it is believed; each test has its own paper, named in its file.

    deletion, insertion : area under p_y as pixels go or come in the map's order
    pointing, energy, iou : whether the highest pixel, the positive mass, and the pixels of at least half the maximum
        lie on the object
    sensitivity : the largest relative change of the map under small random changes of the picture
    randomised : rank correlation of the map with that of the same network whose weights are all random
    """

    explainer: Method = knob(GradCAM(), help="the method under test")
    absolute: bool = knob(
        False, primary=True, help="compare absolute values when weights are random; it can turn the verdict around"
    )
    points: int = knob(32, low=2, high=256, step=1, help="steps of the deletion and insertion curves")
    fill: str = knob("black", choices=("black", "mean"), help="what stands where pixels are taken away")
    draws: int = knob(5, low=1, high=200, step=1, help="random changes of the picture")
    radius: float = knob(0.02, low=0.0, high=1.0, step=0.01, symbol="r", help="largest change of a pixel")

    def run(
        self, model: nn.Module, images: Tensor, targets: int | Tensor, *, masks: Tensor | None = None, seed: int = 0,
        explainer: Any = None,
    ) -> Run[Trial]:  # fmt: skip
        """All tests of images (N, C, H, W) in [0, 1] for one class or one per image.

        masks : bool (N, H, W), object = True; without them localisation is NaN
        explainer : another method, tested with the same knobs
        """
        images, classes = asked(model, images, targets)
        explain = self.explainer if explainer is None else explainer
        maps = yield from explained(explain, model, images, classes, seed)
        found = {}
        for name, curve in self.curves.items():
            found[name] = yield from part(curve.run(model, images, maps, classes), name, 0, 1)
        scores = {name: curve.area for name, curve in found.items()} | located(maps, masks)
        moving = MaxSensitivity(self.radius, self.draws).run(model, images, classes, explain, maps=maps, seed=seed)
        scores["sensitivity"] = yield from moving
        destroyed = explained(explain, randomised(model, seed), images, classes, seed)
        random = yield from part(destroyed, "randomise", 0, 1)
        seen = [each.abs() if self.absolute else each for each in (maps, random)]
        scores["randomised"] = rank_correlations(*seen).cpu()
        return Trial(maps, found, {name: scores[name] for name in MEASURES})

    @property
    def curves(self) -> dict[str, Deletion | Insertion]:
        """The two curves by name."""
        return {"deletion": Deletion(self.points, self.fill), "insertion": Insertion(self.points)}

    @property
    def cascade(self) -> Randomisation:
        """The same test of random weights, layer by layer."""
        return Randomisation(self.explainer, self.absolute)


def located(maps: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
    """The measures of localisation, by name, (N,) each; NaN without masks."""
    measures = {"pointing": pointing_game, "energy": energy_pointing_game, "iou": iou}
    if masks is None:
        return {name: torch.full((len(maps),), torch.nan, dtype=torch.float64) for name in measures}
    return {name: measure(maps, masks).cpu() for name, measure in measures.items()}


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of the model whose layers are all drawn anew: the last stage of the cascade."""
    last = deque(damages(model, seed), maxlen=1)
    if not last:
        raise ValueError("The model has no layer that can draw its weights anew, so they cannot be randomised.")
    return last[0][1]
